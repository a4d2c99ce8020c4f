/** Options of `gpt2(…)`, and the config.json that they make. */
import type { CallEntry, Json, OptionSchema } from '../../compiler/catalog.ts';
import { mustDivide, numberOption } from './config.ts';
import type { ModelConfig, SpecialTokens } from './model.ts';

const size = (description: string, value: number): OptionSchema => ({
  description,
  type: 'integer',
  minimum: 1,
  unit: 'count',
  default: value,
});

export const gpt2Entry: CallEntry = {
  name: 'gpt2',
  summary: 'a GPT-2 model with new weights: LayerNorm, learned positions, gelu',
  details: [
    'Weights start from a normal distribution of standard deviation 0.02, those that write into the residual stream',
    'divided by √(2 · layers); biases start at 0, norms at 1. Written as a Hugging Face `GPT2LMHeadModel`, with its',
    'fused `c_attn`: a method with `targets=q,v` adapts those column slices of it.',
    '',
    'Source: Radford et al., *Language Models are Unsupervised Multitask Learners* (2019).',
  ].join('\n'),
  example: 'pretrain(model=gpt2(layers=4 width=128 heads=4 context=64))',
  options: {
    layers: size('number of blocks', 4),
    width: size('size of the hidden state', 128),
    heads: size('attention heads; must divide the width', 4),
    mlp: {
      description: 'inner width of the feed-forward half',
      type: 'integer',
      minimum: 1,
      unit: 'count',
      defaultNote: '4 × width',
      computedDefault: ({ width }) => 4 * Number(width),
    },
    context: { ...size('longest sequence', 128), unit: 'tokens' },
    tied: { description: 'the output embedding is the input embedding', type: 'boolean', default: true },
    norm_epsilon: {
      description: 'added to the variance in each norm',
      type: 'number',
      exclusiveMinimum: 0,
      default: 1e-5,
    },
  },
};

/** Errors: Error in a sentence where heads do not divide the width. */
export function configureGpt2(options: Readonly<Record<string, Json>>, tokens: SpecialTokens): ModelConfig {
  const width = numberOption(options, 'width', 128);
  const heads = numberOption(options, 'heads', 4);
  const context = numberOption(options, 'context', 128);
  mustDivide(heads, 'heads', width, 'width');
  return {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    vocab_size: tokens.vocabularySize,
    n_positions: context,
    n_ctx: context,
    n_embd: width,
    n_layer: numberOption(options, 'layers', 4),
    n_head: heads,
    n_inner: options.mlp ?? null,
    activation_function: 'gelu_new',
    layer_norm_epsilon: numberOption(options, 'norm_epsilon', 1e-5),
    initializer_range: 0.02,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    tie_word_embeddings: options.tied ?? true,
    // Where it is left out, other tools take the family's own.
    bos_token_id: tokens.bos ?? null,
    eos_token_id: tokens.eos,
    pad_token_id: tokens.pad,
    torch_dtype: 'float32',
  };
}
