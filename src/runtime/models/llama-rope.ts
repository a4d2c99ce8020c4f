/** Rotary frequencies of a config, with the scalings that published Llama configs ask for. */
import type { Json } from '../../compiler/catalog.ts';
import { rotaryFrequencies } from '../layers/rotary.ts';
import { numberOf } from './config.ts';
import type { ModelConfig } from './model.ts';

/**
 * Angle per position of each of the `headSize / 2` pairs. Knows `rope_scaling` (or `rope_parameters`) of type default,
 * linear and llama3. Errors: Error naming a type it does not know.
 * @see https://arxiv.org/abs/2306.15595 for linear; llama3 as in the Llama 3.1 release
 */
export function frequenciesOf(config: ModelConfig, headSize: number): Float64Array {
  const scaling = (config.rope_scaling ?? config.rope_parameters ?? {}) as { readonly [key: string]: Json };
  const theta = numberOf({ ...config, ...scaling, model_type: config.model_type }, 'rope_theta', 10_000);
  const plain = rotaryFrequencies(headSize, theta);
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  const read = (key: string): number => {
    const value = scaling[key];
    if (typeof value !== 'number')
      throw new Error(`rope_scaling of type ${String(type)} needs a number \`${key}\``);
    return value;
  };
  if (type === 'default') return plain;
  if (type === 'linear') return plain.map((frequency) => frequency / read('factor'));
  if (type === 'llama3') {
    const factor = read('factor');
    const low = read('low_freq_factor');
    const high = read('high_freq_factor');
    const context = read('original_max_position_embeddings');
    return plain.map((frequency) => {
      const turns = (context * frequency) / (2 * Math.PI);
      const keep = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return keep * frequency + ((1 - keep) * frequency) / factor;
    });
  }
  throw new Error(
    `rope_scaling of type ${JSON.stringify(type)} is not supported (default, linear and llama3 are)`,
  );
}
