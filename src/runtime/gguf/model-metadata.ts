/** What llama.cpp has to know of a model to compute it: its sizes, its norms, its rotary positions. */
import { positiveOf } from '../models/config.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import { GgufError } from './gguf-error.ts';
import { f32, type GgufValue, u32 } from './metadata.ts';
import { rotaryMetadata } from './rotary-metadata.ts';
import { architectureOf } from './tensor-names.ts';

export interface ModelMetadata {
  /** Keys without the architecture's name before them. */
  readonly entries: readonly (readonly [string, GgufValue])[];
  /** By which the angle of each pair is divided, where llama.cpp has no key for the scaling. */
  readonly rotaryDivisors?: Float32Array;
  readonly notes: readonly string[];
}

/** Errors: GgufError for what llama.cpp does not compute. */
export function modelMetadata(family: ModelFamily, config: ModelConfig): ModelMetadata {
  const shape = family.shape(config);
  mustCompute(config);
  if (config.model_type === 'qwen2' && shape.heads * shape.headSize !== shape.width)
    throw new GgufError(
      `llama.cpp's qwen2 has heads of hidden_size / num_attention_heads numbers, not of ${shape.headSize}`,
      ['export it with format=hf'],
    );
  const context = Math.min(shape.context, shape.fixedUpTo ?? Infinity, shape.window ?? Infinity);
  const inner = family.linears(config).find(({ target }) => target === 'up')!.outputs;
  const sizes: [string, GgufValue][] = [
    ['context_length', u32(context)],
    ['embedding_length', u32(shape.width)],
    ['block_count', u32(shape.blocks)],
    ['feed_forward_length', u32(inner)],
    ['attention.head_count', u32(shape.heads)],
    ['attention.head_count_kv', u32(shape.keyValueHeads)],
  ];
  const notes = context < shape.context ? [shorterContext(shape, context)] : [];
  if (config.model_type === 'gpt2') {
    const epsilon = positiveOf(config, 'layer_norm_epsilon', { fallback: 1e-5, zero: true });
    return { entries: [...sizes, ['attention.layer_norm_epsilon', f32(epsilon)]], notes };
  }
  const rotary = rotaryMetadata(config, shape, architectureOf(config));
  const epsilon = positiveOf(config, 'rms_norm_eps', { fallback: 1e-6, zero: true });
  return {
    entries: [
      ...sizes,
      ['attention.key_length', u32(shape.headSize)],
      ['attention.value_length', u32(shape.headSize)],
      ['attention.layer_norm_rms_epsilon', f32(epsilon)],
      ['vocab_size', u32(shape.vocabularySize)],
      ...rotary.entries,
    ],
    ...(rotary.divisors && { rotaryDivisors: rotary.divisors }),
    notes,
  };
}

const shorterContext = ({ window, fixedUpTo }: { window?: number; fixedUpTo?: number }, context: number) =>
  window === context
    ? `llama.cpp has no sliding window for this architecture: the file's context is the window, ${context} tokens, within which both compute the same`
    : `llama.cpp does not know rotary positions that grow with the text: the file's context is ${fixedUpTo} tokens, up to which they do not grow`;

/** llama.cpp computes one activation for each architecture, and one scale of the scores. */
function mustCompute(config: ModelConfig): void {
  const gpt2 = config.model_type === 'gpt2';
  const key = gpt2 ? 'activation_function' : 'hidden_act';
  const legal = gpt2 ? ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast'] : ['silu', 'swish'];
  const activation = config[key] ?? legal[0];
  if (!legal.includes(activation as string))
    throw new GgufError(
      `llama.cpp does not compute ${key}=${JSON.stringify(activation)}, only ${legal.join(', ')}`,
      ['export it with format=hf'],
    );
  for (const [name, computed] of [
    ['scale_attn_weights', true],
    ['scale_attn_by_inverse_layer_idx', false],
  ] as const)
    if (gpt2 && (config[name] ?? computed) !== computed)
      throw new GgufError(`llama.cpp does not compute ${name}=${JSON.stringify(config[name])}`, [
        'export it with format=hf',
      ]);
}
