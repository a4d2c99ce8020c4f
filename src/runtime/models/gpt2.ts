/**
 * GPT-2: LayerNorm before each half of a block, learned positions, fused q/k/v, gelu, tied head. Linear weights are
 * stored as Conv1D, (in, out). B batch, T tokens, D width, V vocabulary.
 * @see Radford et al., Language Models are Unsupervised Multitask Learners (2019)
 */
import { activations } from '../layers/activations.ts';
import { attention, splitHeads } from '../layers/attention.ts';
import { conv1d } from '../layers/linear.ts';
import { conv1dMlp } from '../layers/mlp.ts';
import { add, blockEdge, gatherRows, layerNorm, reshape, sliceAxis } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { noOutputLayer, weightsOf } from './config.ts';
import { configureGpt2, gpt2Entry } from './gpt2-config.ts';
import { gpt2Block, gpt2Parameters } from './gpt2-parameters.ts';
import { gpt2Settings } from './gpt2-settings.ts';
import type {
  ForwardInputs,
  ForwardOutputs,
  LinearLayer,
  ModelConfig,
  ModelFamily,
  ModelShape,
} from './model.ts';

function shape(config: ModelConfig): ModelShape {
  const { blocks, width, heads, keyValueHeads, headSize, context, vocabularySize } = gpt2Settings(config);
  return { blocks, width, heads, keyValueHeads, headSize, context, vocabularySize };
}

const parametersOf = (config: ModelConfig) => gpt2Parameters(config, gpt2Settings(config));

function forward(config: ModelConfig, { ids, positions, bias, past }: ForwardInputs): ForwardOutputs {
  const { blocks, width, heads, epsilon, activation, attentionScale } = gpt2Settings(config);
  const weight = weightsOf(config, parametersOf);
  const [batch, tokens] = ids.shape as [number, number];
  const norm = (x: Node, name: string) =>
    layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), epsilon);
  const map = (x: Node, name: string) => conv1d(x, weight(`${name}.weight`), weight(`${name}.bias`));
  const embedded = gatherRows(weight('transformer.wte.weight'), ids);
  const present: { key: Node; value: Node }[] = [];
  let x = add(embedded, gatherRows(weight('transformer.wpe.weight'), positions));
  x = reshape(x, [batch * tokens, width]);
  for (let i = 0; i < blocks; i++) {
    const block = gpt2Block(i);
    x = blockEdge(x, i);
    const fused = map(norm(x, block.attentionNorm), block.qkv);
    const part = (n: number) =>
      splitHeads(sliceAxis(fused, 1, n * width, (n + 1) * width), batch, tokens, heads);
    const [query, key, value] = [part(0), part(1), part(2)];
    present.push({ key, value });
    const scale = attentionScale(i);
    x = add(x, map(attention({ query, key, value, bias, past: past?.[i], scale }), block.o));
    const mlp = {
      up: weight(`${block.up}.weight`),
      upBias: weight(`${block.up}.bias`),
      down: weight(`${block.down}.weight`),
      downBias: weight(`${block.down}.bias`),
    };
    x = add(x, conv1dMlp(norm(x, block.mlpNorm), mlp, activations[activation]));
  }
  return { hidden: reshape(norm(blockEdge(x, blocks), 'transformer.ln_f'), [batch, tokens, width]), present };
}

function linears(config: ModelConfig): LinearLayer[] {
  const { blocks, width, inner } = gpt2Settings(config);
  return Array.from({ length: blocks }, (_, block) => {
    const names = gpt2Block(block);
    const layer = (
      target: LinearLayer['target'],
      module: string,
      inputs: number,
      outputs: number,
    ): LinearLayer => ({
      target,
      block,
      weight: `${module}.weight`,
      inputs,
      outputs,
      layout: 'in,out',
    });
    const slices = (['q', 'k', 'v'] as const).map((target, n) => ({
      ...layer(target, names.qkv, width, width),
      columns: [n * width, (n + 1) * width] as const,
    }));
    return [
      ...slices,
      layer('o', names.o, width, width),
      layer('up', names.up, width, inner),
      layer('down', names.down, inner, width),
    ];
  }).flat();
}

export const gpt2: ModelFamily = {
  modelType: 'gpt2',
  architectures: ['GPT2LMHeadModel', 'GPT2Model', 'GPT2ForSequenceClassification'],
  entry: gpt2Entry,
  configure: configureGpt2,
  parameters: parametersOf,
  linears,
  blocks: (config) => {
    const names = parametersOf(config).map((spec) => spec.name);
    return Array.from({ length: shape(config).blocks }, (_, i) =>
      names.filter((name) => name.startsWith(`transformer.h.${i}.`)),
    );
  },
  forward,
  head(config) {
    const { head } = gpt2Settings(config);
    if (head === undefined) throw noOutputLayer(config);
    return weightsOf(config, parametersOf)(head);
  },
  shape,
  canonicalName: (config, name) => {
    if (/\.attn\.(masked_)?bias$/.test(name)) return undefined;
    if (name === 'lm_head.weight') return gpt2Settings(config).head === name ? name : undefined;
    return name.startsWith('transformer.') ? name : `transformer.${name}`;
  },
};
