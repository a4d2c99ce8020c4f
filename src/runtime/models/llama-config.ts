/** Options of `llama(…)` and its variants, and the config.json that they make. */
import type { Json, OptionSchema } from '../../compiler/catalog.ts';
import { mustDivide, numberOption } from './config.ts';
import type { LlamaVariant } from './llama-settings.ts';
import type { ModelConfig, SpecialTokens } from './model.ts';
import { ModelError } from './model-error.ts';

export function llamaOptions(defaults: LlamaVariant['defaults']): { readonly [name: string]: OptionSchema } {
  const size = (description: string): Omit<OptionSchema, 'default'> => ({
    description,
    type: 'integer',
    minimum: 1,
    unit: 'count',
  });
  return {
    layers: { ...size('number of blocks'), default: 4 },
    width: { ...size('size of the hidden state'), default: 128 },
    heads: { ...size('query heads; must divide the width'), default: 4 },
    kv_heads: {
      ...size('key/value heads, shared by groups of query heads; must divide heads'),
      defaultNote: 'heads',
      computedDefault: ({ heads }) => heads,
    },
    mlp: {
      ...size('inner width of the feed-forward half'),
      defaultNote: '8/3 × width, up to a multiple of 32',
      computedDefault: ({ width }) => Math.ceil(((8 / 3) * Number(width)) / 32) * 32,
    },
    context: { ...size('longest sequence'), unit: 'tokens', default: 128 },
    tied: { description: 'the output embedding is the input embedding', type: 'boolean', default: true },
    rope_theta: {
      description: 'base of the rotary frequencies',
      type: 'number',
      exclusiveMinimum: 1,
      default: defaults.rope_theta,
    },
    norm_epsilon: {
      description: 'added to the mean square in each norm',
      type: 'number',
      exclusiveMinimum: 0,
      default: defaults.norm_epsilon,
    },
  };
}

/** Errors: ModelError where heads do not divide the width, key/value heads the heads, or a head is odd. */
export function configureLlama(
  options: Readonly<Record<string, Json>>,
  tokens: SpecialTokens,
  variant: LlamaVariant,
): ModelConfig {
  const width = numberOption(options, 'width', 128);
  const heads = numberOption(options, 'heads', 4);
  const keyValueHeads = numberOption(options, 'kv_heads', heads);
  mustDivide(heads, 'heads', width, 'width');
  mustDivide(keyValueHeads, 'kv_heads', heads, 'heads');
  if ((width / heads) % 2 !== 0) {
    throw new ModelError(
      `rotary positions need an even head size; width=${width} / heads=${heads} is ${width / heads}`,
    );
  }
  return {
    model_type: variant.modelType,
    architectures: [`${variant.architecture}ForCausalLM`],
    vocab_size: tokens.vocabularySize,
    hidden_size: width,
    intermediate_size: numberOption(options, 'mlp', Math.ceil((8 * width) / 3 / 32) * 32),
    num_hidden_layers: numberOption(options, 'layers', 4),
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: width / heads,
    hidden_act: 'silu',
    max_position_embeddings: numberOption(options, 'context', 128),
    initializer_range: 0.02,
    rms_norm_eps: numberOption(options, 'norm_epsilon', variant.defaults.norm_epsilon),
    rope_theta: numberOption(options, 'rope_theta', variant.defaults.rope_theta),
    tie_word_embeddings: options.tied ?? true,
    attention_dropout: 0,
    ...variant.configure(options),
    // Where it is left out, other tools take the family's own.
    bos_token_id: tokens.bos ?? null,
    eos_token_id: tokens.eos,
    pad_token_id: tokens.pad,
    torch_dtype: 'float32',
  };
}
