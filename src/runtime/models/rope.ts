/**
 * Rotary frequencies of a config with the scalings that published models ask for, in the old keys (`rope_theta`,
 * `rope_scaling`) and in those of transformers 5 (`rope_parameters`).
 */
import type { Json } from '../../compiler/catalog.ts';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { type RotaryAngles, rotaryFrequencies } from '../layers/rotary.ts';
import { LARGEST, mustBe, positiveOf, wrongValue } from './config.ts';
import type { ModelConfig } from './model.ts';
import { ModelError } from './model-error.ts';
import { yarn } from './yarn.ts';

export interface Rope {
  /** Tokens of the longest sequence that the positions are made for. */
  readonly context: number;
  /** Above so many tokens a sequence's length changes the angles of all its tokens (`dynamic`). */
  readonly fixedUpTo?: number;
  /**
   * Angles in a program of `tokens` tokens. Where the length matters, and `decoding` a token at a time, each token is turned
   * as in a sequence that it ends, and stays so in the cache: what transformers computes.
   */
  angles(tokens: number, decoding: boolean): RotaryAngles;
}

type Settings = { readonly [key: string]: Json };
interface Base {
  readonly settings: Settings;
  readonly headSize: number;
  readonly theta: number;
  /** `max_position_embeddings` */
  readonly positions: number;
}

/** The one place where a rope is read. Errors: ModelError naming key, value and what is known. */
export function ropeOf(config: ModelConfig, headSize: number, positions: number): Rope {
  const settings = ropeSettings(config);
  const theta = positiveOf({ rope_theta: settings.rope_theta ?? config.rope_theta ?? 10_000 }, 'rope_theta');
  for (const where of [config, settings] as const)
    mustBe({ ...where, model_type: config.model_type }, 'partial_rotary_factor', 1);
  const type = settings.rope_type ?? settings.type ?? 'default';
  const scaling = typeof type === 'string' ? scalings.get(type) : undefined;
  if (scaling === undefined) throw unknownType(type);
  return scaling({ settings, headSize, theta, positions });
}

/** What config.json says of rotary scaling, in whichever keys: `rope_type` (or `type`), `factor`, … Errors: ModelError. */
export function ropeSettings(config: ModelConfig): Settings {
  const given = (['rope_scaling', 'rope_parameters'] as const).map((key): Settings => {
    const value = config[key] ?? null;
    if (value === null) return {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Settings;
    throw wrongValue(key, value, 'an object or null');
  });
  const settings = given.find((value) => Object.keys(value).length > 0) ?? {};
  for (const layers of ['full_attention', 'sliding_attention'])
    if (settings[layers] !== undefined)
      throw new ModelError(
        `config.json has rotary settings of their own for ${layers} layers, which is not supported`,
        ['write one `rope_parameters` for all layers, if they are the same'],
      );
  const original = config.original_max_position_embeddings;
  return original === undefined ? settings : { ...settings, original_max_position_embeddings: original };
}

const fixed = (context: number, frequencies: Float64Array, scale = 1): Rope => {
  const angles = { at: () => frequencies, scale };
  return { context, angles: () => angles };
};

const plain = ({ headSize, theta }: Base) => rotaryFrequencies(headSize, theta);

function read({ settings }: Base, key: string, fallback?: number): number {
  const type = String(settings.rope_type ?? settings.type);
  if ((settings[key] ?? fallback) === undefined)
    throw new ModelError(`config.json has rope_scaling of type ${type} without \`${key}\``, [
      'take config.json from where the weights come from',
    ]);
  return positiveOf(settings, key, fallback === undefined ? {} : { fallback });
}

/** @see https://arxiv.org/abs/2306.15595 */
function linear(base: Base): Rope {
  const factor = read(base, 'factor');
  const slow = plain(base).map((frequency) => frequency / factor);
  return fixed(base.positions, slow);
}

/**
 * NTK-aware, the base growing with the sequence once it is longer than `max_position_embeddings`. A program of T tokens
 * has the angles of a sequence of T tokens, padding included, as transformers has; decoded tokens those of the length then.
 * @see https://arxiv.org/abs/2309.00071 section 3.3
 */
function dynamic(base: Base): Rope {
  const { headSize, theta, positions } = base;
  const factor = read(base, 'factor');
  if (headSize === 2) throw new ModelError('rope_scaling of type dynamic needs heads of more than 2 numbers');
  const ofLength = (tokens: number) => {
    const growth = (factor * Math.max(tokens, positions)) / positions - (factor - 1);
    return rotaryFrequencies(headSize, theta * growth ** (headSize / (headSize - 2)));
  };
  const short = ofLength(positions);
  const frequencies = (tokens: number) => (tokens > positions ? ofLength(tokens) : short);
  return {
    context: Math.min(LARGEST.positions, Math.floor(positions * Math.max(1, factor))),
    fixedUpTo: positions,
    angles(tokens, decoding) {
      const whole = frequencies(tokens);
      return { at: decoding ? (position) => frequencies(position + 1) : () => whole, scale: 1 };
    },
  };
}

/** Fast pairs stay, slow ones are divided, between them it is gradual; as in the Llama 3.1 release. */
function llama3(base: Base): Rope {
  const factor = read(base, 'factor');
  const low = read(base, 'low_freq_factor');
  const high = read(base, 'high_freq_factor');
  const original = read(base, 'original_max_position_embeddings', base.positions);
  if (high <= low) throw wrongValue('high_freq_factor', high, `larger than low_freq_factor=${low}`);
  const scaled = plain(base).map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    const keep = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return keep * frequency + ((1 - keep) * frequency) / factor;
  });
  return fixed(base.positions, scaled);
}

function yarnRope(base: Base): Rope {
  const original = read(base, 'original_max_position_embeddings', base.positions);
  const factor = read(base, 'factor', base.positions / original);
  const { frequencies, scale } = yarn({ ...base, original, factor });
  const reach = Math.min(LARGEST.positions, Math.floor(original * factor));
  return fixed(Math.max(base.positions, reach), frequencies, scale);
}

const scalings = new Map<string, (base: Base) => Rope>([
  ['default', (base) => fixed(base.positions, plain(base))],
  ['linear', linear],
  ['dynamic', dynamic],
  ['llama3', llama3],
  ['yarn', yarnRope],
]);

function unknownType(type: Json): ModelError {
  const known = [...scalings.keys()];
  const meant = typeof type === 'string' ? nearest(type, known) : undefined;
  return new ModelError(
    `config.json has rope_scaling of type ${JSON.stringify(type).slice(0, 60)}, which is not supported (known: ${known.join(', ')})`,
    meant === undefined
      ? ['open a checkpoint of another release of the model: most have one without it']
      : [`did you mean \`${meant}\`?`],
  );
}
