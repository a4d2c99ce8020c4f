/** Rotary positions as llama.cpp is told of them: by keys, or by divisors of the angles. */
import { rotaryFrequencies } from '../layers/rotary.ts';
import { positiveOf } from '../models/config.ts';
import type { ModelConfig, ModelShape } from '../models/model.ts';
import { ropeOf, ropeSettings } from '../models/rope.ts';
import { GgufError } from './gguf-error.ts';
import { f32, type GgufValue, text, u32 } from './metadata.ts';

interface RotaryMetadata {
  readonly entries: readonly (readonly [string, GgufValue])[];
  readonly divisors?: Float32Array;
}

export function rotaryMetadata(config: ModelConfig, shape: ModelShape, architecture: string): RotaryMetadata {
  const settings: ModelConfig = { ...ropeSettings(config), model_type: config.model_type };
  const theta = positiveOf(
    { ...settings, rope_theta: settings.rope_theta ?? config.rope_theta ?? 10_000 },
    'rope_theta',
  );
  const type = settings.rope_type ?? settings.type ?? 'default';
  const base: [string, GgufValue][] = [
    ['rope.dimension_count', u32(shape.headSize)],
    ['rope.freq_base', f32(theta)],
  ];
  const factor = () => positiveOf(settings, 'factor');
  if (type === 'linear')
    return {
      entries: [...base, ['rope.scaling.type', text('linear')], ['rope.scaling.factor', f32(factor())]],
    };
  if (type === 'llama3')
    return { entries: base, divisors: llama3Divisors(config, shape, theta, architecture) };
  if (type === 'yarn') return { entries: [...base, ...yarnEntries(config, shape, settings)] };
  return { entries: base };
}

/** llama.cpp reads them for its `llama` alone. */
function llama3Divisors(
  config: ModelConfig,
  shape: ModelShape,
  theta: number,
  architecture: string,
): Float32Array {
  if (architecture !== 'llama')
    throw new GgufError(`llama.cpp has no rope_scaling of type llama3 for its ${architecture}`, [
      'export it with format=hf',
    ]);
  const scaled = ropeOf(config, shape.headSize, shape.context).angles(1, false).at(0);
  const plain = rotaryFrequencies(shape.headSize, theta);
  return Float32Array.from(plain, (frequency, pair) => frequency / scaled[pair]!);
}

/** llama.cpp multiplies by 0.1 ln(factor) + 1 by itself, and then by `attn_factor`. */
function yarnEntries(config: ModelConfig, shape: ModelShape, settings: ModelConfig): [string, GgufValue][] {
  if (settings.truncate === false)
    throw new GgufError('llama.cpp has no rope_scaling of type yarn with truncate=false', [
      'export it with format=hf',
    ]);
  const positions = positiveOf(config, 'max_position_embeddings', { fallback: shape.context });
  const original = positiveOf(settings, 'original_max_position_embeddings', { fallback: positions });
  const factor = positiveOf(settings, 'factor', { fallback: positions / original });
  const { scale } = ropeOf(config, shape.headSize, positions).angles(1, false);
  return [
    ['rope.scaling.type', text('yarn')],
    ['rope.scaling.factor', f32(factor)],
    ['rope.scaling.original_context_length', u32(original)],
    ['rope.scaling.attn_factor', f32(scale / (0.1 * Math.log(factor) + 1))],
    [
      'rope.scaling.yarn_beta_fast',
      f32(positiveOf(settings, 'beta_fast', { fallback: 32, zero: true }) || 32),
    ],
    ['rope.scaling.yarn_beta_slow', f32(positiveOf(settings, 'beta_slow', { fallback: 1, zero: true }) || 1)],
  ];
}
