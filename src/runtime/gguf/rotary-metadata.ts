/** Rotary positions as llama.cpp is told of them: by keys, or by divisors of the angles. */
import { rotaryFrequencies } from '../layers/rotary.ts';
import { positiveOf } from '../models/config.ts';
import type { ModelConfig, ModelShape } from '../models/model.ts';
import { ropeOf, ropeSettings } from '../models/rope.ts';
import { GgufError } from './gguf-error.ts';
import { type Entries, f32, text, u32 } from './metadata.ts';

interface RotaryMetadata {
  readonly entries: Entries;
  /** Of the angle of each pair. */
  readonly divisors?: Float32Array;
}

/**
 * `linear` and `yarn` by keys; other scalings, which llama.cpp has for its `llama` alone, by a divisor for each pair.
 * Errors: GgufError where neither does.
 */
export function rotaryMetadata(config: ModelConfig, shape: ModelShape, architecture: string): RotaryMetadata {
  const settings: ModelConfig = { ...ropeSettings(config), model_type: config.model_type };
  const theta = positiveOf({ rope_theta: settings.rope_theta ?? config.rope_theta ?? 10_000 }, 'rope_theta');
  const positions = positiveOf(config, 'max_position_embeddings', { fallback: shape.context });
  const angles = ropeOf(config, shape.headSize, positions).angles(1, false);
  const frequencies = angles.at(0);
  const divisors = rotaryFrequencies(shape.headSize, theta).map((plain, pair) => plain / frequencies[pair]!);
  const base: Entries = [
    ['rope.dimension_count', u32(shape.headSize)],
    ['rope.freq_base', f32(theta)],
  ];
  const type = settings.rope_type ?? settings.type ?? 'default';
  if (divisors.every((divisor) => divisor === 1) && angles.scale === 1) return { entries: base };
  if (type === 'linear')
    return {
      entries: [...base, ['rope.scaling.type', text('linear')], ['rope.scaling.factor', f32(divisors[0]!)]],
    };
  if (type === 'yarn' && hasUsualRamp(settings))
    return { entries: [...base, ...yarnEntries(settings, positions, angles.scale)] };
  if (architecture !== 'llama')
    throw new GgufError(
      `llama.cpp's ${architecture} does not compute rope_scaling of type ${type} as this config.json has it`,
      ['export it with format=hf'],
    );
  return {
    entries: [...base, ['rope.scaling.attn_factor', f32(angles.scale)]],
    divisors: Float32Array.from(divisors),
  };
}

/** llama.cpp knows no other for these architectures. */
function hasUsualRamp(settings: ModelConfig): boolean {
  const usual = (key: string, value: number) => (settings[key] ?? value) === value || settings[key] === 0;
  return usual('beta_fast', 32) && usual('beta_slow', 1) && settings.truncate !== false;
}

/** llama.cpp multiplies by 0.1 ln(factor) + 1 by itself, and then by `attn_factor`. */
function yarnEntries(settings: ModelConfig, positions: number, scale: number): Entries {
  const original = positiveOf(settings, 'original_max_position_embeddings', { fallback: positions });
  const factor = positiveOf(settings, 'factor', { fallback: positions / original });
  return [
    ['rope.scaling.type', text('yarn')],
    ['rope.scaling.factor', f32(factor)],
    ['rope.scaling.original_context_length', u32(original)],
    ['rope.scaling.attn_factor', f32(scale / (0.1 * Math.log(factor) + 1))],
  ];
}
