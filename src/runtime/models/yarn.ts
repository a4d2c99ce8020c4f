/**
 * YaRN: pairs that turn often within the original context keep their frequency, those that turn seldom are divided by
 * `factor`, with a ramp between them; cosines and sines are scaled.
 * @see https://arxiv.org/abs/2309.00071 section 3.2 to 3.4
 */
import type { Json } from '../../compiler/catalog.ts';
import { rotaryFrequencies } from '../layers/rotary.ts';
import { positiveOf, wrongValue } from './config.ts';

export interface YarnInputs {
  /** `attention_factor`, `mscale`, `mscale_all_dim`, `beta_fast` (32), `beta_slow` (1), `truncate` (true). */
  readonly settings: { readonly [key: string]: Json };
  readonly headSize: number;
  readonly theta: number;
  /** Tokens that the model was first trained with. */
  readonly original: number;
  readonly factor: number;
}

/** Errors: ModelError naming key and value. */
export function yarn({ settings, headSize, theta, original, factor }: YarnInputs) {
  const truncate = settings.truncate ?? true;
  if (typeof truncate !== 'boolean') throw wrongValue('truncate', truncate, 'true or false');
  const [fast, slow] = [orElse(settings, 'beta_fast', 32), orElse(settings, 'beta_slow', 1)];
  if (theta === 1) throw wrongValue('rope_theta', theta, 'another number than 1 for yarn');
  /** The pair (as a real number) that turns so often within the original context. */
  const pairTurning = (turns: number) =>
    (headSize * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [from, to] = [pairTurning(fast), pairTurning(slow)];
  const low = Math.max(truncate ? Math.floor(from) : from, 0);
  const high = Math.min(truncate ? Math.ceil(to) : to, headSize - 1);
  const width = high === low ? 0.001 : high - low;
  const frequencies = rotaryFrequencies(headSize, theta).map((frequency, pair) => {
    const divided = Math.min(1, Math.max(0, (pair - low) / width));
    return (1 - divided) * frequency + (divided * frequency) / factor;
  });
  return { frequencies, scale: attentionFactor(settings, factor) };
}

/** An absent number, null and 0 are the default, as in transformers. */
const orElse = (settings: YarnInputs['settings'], key: string, fallback: number) =>
  positiveOf(settings, key, { fallback, zero: true }) || fallback;

function attentionFactor(settings: YarnInputs['settings'], factor: number): number {
  if ((settings.attention_factor ?? null) !== null) return positiveOf(settings, 'attention_factor');
  const grown = (by: number) => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const [all, dimensions] = [orElse(settings, 'mscale', 0), orElse(settings, 'mscale_all_dim', 0)];
  return all !== 0 && dimensions !== 0 ? grown(all) / grown(dimensions) : grown(1);
}
