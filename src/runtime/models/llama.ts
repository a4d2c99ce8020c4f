/**
 * The Llama family: RMSNorm before each half of a block, rotary positions, grouped-query attention, SwiGLU.
 * Qwen2 is the same with biases on q, k, v (see qwen2.ts). B batch, T tokens, D width, V vocabulary.
 * @see https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2307.09288
 */
import type { CallEntry } from '../../compiler/catalog.ts';
import { attention, splitHeads } from '../layers/attention.ts';
import { linear } from '../layers/linear.ts';
import { swiglu } from '../layers/mlp.ts';
import { rotate, rotation } from '../layers/rotary.ts';
import { add, blockEdge, gatherRows, reshape, rmsNorm } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { numberOf, weightsOf } from './config.ts';
import { configureLlama, llamaOptions } from './llama-config.ts';
import { llamaBlock, llamaParameters } from './llama-parameters.ts';
import { frequenciesOf } from './llama-rope.ts';
import type {
  ForwardInputs,
  ForwardOutputs,
  LinearLayer,
  ModelConfig,
  ModelFamily,
  ModelShape,
} from './model.ts';

export interface LlamaVariant {
  readonly modelType: 'llama' | 'qwen2';
  readonly architecture: string;
  readonly entry: CallEntry;
  /** Of a config that does not say. */
  readonly defaults: { readonly rope_theta: number; readonly norm_epsilon: number };
}

function llamaShape(config: ModelConfig): ModelShape {
  const heads = numberOf(config, 'num_attention_heads');
  const width = numberOf(config, 'hidden_size');
  return {
    blocks: numberOf(config, 'num_hidden_layers'),
    width,
    heads,
    keyValueHeads: numberOf(config, 'num_key_value_heads', heads),
    headSize: numberOf(config, 'head_dim', width / heads),
    context: numberOf(config, 'max_position_embeddings'),
    vocabularySize: numberOf(config, 'vocab_size'),
  };
}

function forward(config: ModelConfig, { ids, positions, bias, past }: ForwardInputs): ForwardOutputs {
  const { blocks, width, heads, keyValueHeads, headSize, context } = llamaShape(config);
  const weight = weightsOf(config, parametersOf);
  const epsilon = numberOf(config, 'rms_norm_eps', 1e-6);
  const [batch, tokens] = ids.shape as [number, number];
  const angles = rotation(positions, context, frequenciesOf(config, headSize));
  const present: { key: Node; value: Node }[] = [];
  let x = reshape(gatherRows(weight('model.embed_tokens.weight'), ids), [batch * tokens, width]);
  for (let i = 0; i < blocks; i++) {
    const block = llamaBlock(i);
    x = blockEdge(x, i);
    const input = rmsNorm(x, weight(block.attentionNorm), epsilon);
    const project = (name: string, count: number): Node => {
      const hasBias = config.model_type === 'qwen2';
      const y = linear(input, weight(`${name}.weight`), hasBias ? weight(`${name}.bias`) : undefined);
      return splitHeads(y, batch, tokens, count);
    };
    const query = rotate(project(block.q, heads), angles);
    const key = rotate(project(block.k, keyValueHeads), angles);
    const value = project(block.v, keyValueHeads);
    present.push({ key, value });
    const context = attention({ query, key, value, bias, past: past?.[i] });
    x = add(x, linear(context, weight(`${block.o}.weight`)));
    const y = rmsNorm(x, weight(block.mlpNorm), epsilon);
    const mlp = (part: 'gate' | 'up' | 'down') => weight(`${block[part]}.weight`);
    x = add(x, swiglu(y, { gate: mlp('gate'), up: mlp('up'), down: mlp('down') }));
  }
  const hidden = rmsNorm(blockEdge(x, blocks), weight('model.norm.weight'), epsilon);
  return { hidden: reshape(hidden, [batch, tokens, width]), present };
}

const parametersOf = (config: ModelConfig) => llamaParameters(config, llamaShape(config));

function linears(config: ModelConfig): LinearLayer[] {
  const { blocks, width, heads, keyValueHeads, headSize } = llamaShape(config);
  const inner = numberOf(config, 'intermediate_size');
  const sizes = {
    q: [width, heads * headSize],
    k: [width, keyValueHeads * headSize],
    v: [width, keyValueHeads * headSize],
    o: [heads * headSize, width],
    gate: [width, inner],
    up: [width, inner],
    down: [inner, width],
  } as const;
  return Array.from({ length: blocks }, (_, block) =>
    (['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const).map((target) => ({
      target,
      block,
      weight: `${llamaBlock(block)[target]}.weight`,
      inputs: sizes[target][0],
      outputs: sizes[target][1],
      layout: 'out,in' as const,
    })),
  ).flat();
}

/** A family of models with this forward pass. */
export function llamaFamily(variant: LlamaVariant): ModelFamily {
  return {
    modelType: variant.modelType,
    entry: variant.entry,
    configure: (options, tokens) => configureLlama(options, tokens, variant),
    parameters: parametersOf,
    linears,
    blocks: (config) => {
      const names = parametersOf(config).map((spec) => spec.name);
      return Array.from({ length: llamaShape(config).blocks }, (_, i) =>
        names.filter((name) => name.startsWith(`model.layers.${i}.`)),
      );
    },
    forward,
    head: (config) => weightsOf(config, parametersOf)(headName(config)),
    shape: llamaShape,
    canonicalName: (config, name) => {
      if (name.endsWith('.rotary_emb.inv_freq')) return undefined;
      return name === 'lm_head.weight' && config.tie_word_embeddings === true ? undefined : name;
    },
  };
}

const headName = (config: ModelConfig) =>
  config.tie_word_embeddings === true ? 'model.embed_tokens.weight' : 'lm_head.weight';

export const llama: ModelFamily = llamaFamily({
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  defaults: { rope_theta: 10_000, norm_epsilon: 1e-5 },
  entry: {
    name: 'llama',
    summary: 'a Llama model with new weights: RMSNorm, rotary positions, grouped-query attention, SwiGLU',
    details: [
      'Weights start from a normal distribution of standard deviation 0.02, those that write into the residual',
      'stream divided by √(2 · layers); norms start at 1. The bare `llama` is made for a CPU: 4 blocks of width 128.',
      'Written as a Hugging Face `LlamaForCausalLM`.',
      '',
      'Sources: [LLaMA](https://arxiv.org/abs/2302.13971), [grouped queries](https://arxiv.org/abs/2305.13245),',
      '[rotary positions](https://arxiv.org/abs/2104.09864).',
    ].join('\n'),
    example: 'pretrain(model=llama(layers=4 width=256 heads=4 kv_heads=2 context=256))',
    options: llamaOptions({ rope_theta: 10_000, norm_epsilon: 1e-5 }),
  },
});
