/**
 * The Llama family: RMSNorm before each half of a block, rotary positions, grouped-query attention, SwiGLU. Its variants
 * differ in biases, norms of heads and windows. B batch, T tokens, P past tokens, D width, V vocabulary.
 * @see https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2307.09288
 */
import { activations } from '../layers/activations.ts';
import { attention, splitHeads } from '../layers/attention.ts';
import { linear } from '../layers/linear.ts';
import { windowMask } from '../layers/mask.ts';
import { gatedMlp } from '../layers/mlp.ts';
import { rotate, rotation } from '../layers/rotary.ts';
import { add, blockEdge, gatherRows, reshape, rmsNorm } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { noOutputLayer, weightsOf } from './config.ts';
import { configureLlama } from './llama-config.ts';
import { linearSizes, llamaBlock, llamaParameters } from './llama-parameters.ts';
import { type LlamaSettings, type LlamaVariant, settingsReader, shapeOf } from './llama-settings.ts';
import type { ForwardInputs, ForwardOutputs, LinearLayer, ModelConfig, ModelFamily } from './model.ts';

/** The first is the language model; the last has a `score` in place of the output layer. */
const architecturesOf = (name: string) => [
  `${name}ForCausalLM`,
  `${name}Model`,
  `${name}ForSequenceClassification`,
];

/** A family of models with this forward pass. */
export function llamaFamily(variant: LlamaVariant): ModelFamily {
  const settingsOf = settingsReader(variant);
  const parametersOf = (config: ModelConfig) => llamaParameters(config, settingsOf(config));
  const weightOf = (config: ModelConfig) => weightsOf(config, parametersOf);
  return {
    modelType: variant.modelType,
    architectures: architecturesOf(variant.architecture),
    entry: variant.entry,
    configure: (options, tokens) => configureLlama(options, tokens, variant),
    parameters: parametersOf,
    linears: (config) => linears(settingsOf(config)),
    blocks: (config) => {
      const names = parametersOf(config).map((spec) => spec.name);
      return Array.from({ length: settingsOf(config).blocks }, (_, i) =>
        names.filter((name) => name.startsWith(`model.layers.${i}.`)),
      );
    },
    forward: (config, inputs) => forward(settingsOf(config), weightOf(config), inputs),
    head(config) {
      const { head } = settingsOf(config);
      if (head === undefined) throw noOutputLayer(config);
      return weightOf(config)(head);
    },
    shape: (config) => shapeOf(settingsOf(config)),
    canonicalName(config, name) {
      if (name.endsWith('.rotary_emb.inv_freq')) return undefined;
      if (name === 'lm_head.weight') return settingsOf(config).head === name ? name : undefined;
      return /^(embed_tokens|layers|norm)\./.test(name) ? `model.${name}` : name;
    },
  };
}

function forward(
  settings: LlamaSettings,
  weight: (name: string) => Node,
  inputs: ForwardInputs,
): ForwardOutputs {
  const { blocks, width, epsilon } = settings;
  const { ids, past } = inputs;
  const [batch, tokens] = ids.shape as [number, number];
  const seen = past?.[0]?.key.shape[2] ?? 0;
  const rows = inputs.tableRows ?? seen + tokens;
  const angles = rotation(inputs.positions, rows, settings.rope.angles(tokens, seen > 0));
  const biasOf = biases(inputs, settings, seen + tokens);
  const present: { key: Node; value: Node }[] = [];
  let x = reshape(gatherRows(weight('model.embed_tokens.weight'), ids), [batch * tokens, width]);
  for (let i = 0; i < blocks; i++) {
    const block = llamaBlock(i);
    x = blockEdge(x, i);
    const { query, key, value } = projections(rmsNorm(x, weight(block.attentionNorm), epsilon), i);
    present.push({ key, value });
    const context = attention({ query, key, value, bias: biasOf(i), past: past?.[i] });
    x = add(x, linear(context, weight(`${block.o}.weight`), biasNode(block.o, settings.biases.output)));
    x = add(x, feedForward(rmsNorm(x, weight(block.mlpNorm), epsilon), i));
  }
  const hidden = rmsNorm(blockEdge(x, blocks), weight('model.norm.weight'), epsilon);
  return { hidden: reshape(hidden, [batch, tokens, width]), present };

  function biasNode(module: string, there: boolean): Node | undefined {
    return there ? weight(`${module}.bias`) : undefined;
  }

  /** Queries and keys turned, each (B, heads, T, Dh). */
  function projections(input: Node, i: number) {
    const block = llamaBlock(i);
    const project = (module: string, heads: number, norm?: string): Node => {
      const y = linear(input, weight(`${module}.weight`), biasNode(module, settings.biases.qkv));
      const normed =
        norm === undefined ? y : perHead(y, heads, (head) => rmsNorm(head, weight(norm), epsilon));
      return splitHeads(normed, batch, tokens, heads);
    };
    const { heads, keyValueHeads, headNorms } = settings;
    return {
      query: rotate(project(block.q, heads, headNorms ? block.queryNorm : undefined), angles),
      key: rotate(project(block.k, keyValueHeads, headNorms ? block.keyNorm : undefined), angles),
      value: project(block.v, keyValueHeads),
    };
  }

  function feedForward(y: Node, i: number): Node {
    const block = llamaBlock(i);
    const part = (name: 'gate' | 'up' | 'down') => weight(`${block[name]}.weight`);
    const bias = (name: 'gate' | 'up' | 'down') => biasNode(block[name], settings.biases.mlp);
    return gatedMlp(
      y,
      {
        gate: part('gate'),
        up: part('up'),
        down: part('down'),
        gateBias: bias('gate'),
        upBias: bias('up'),
        downBias: bias('down'),
      },
      activations[settings.activation],
    );
  }
}

/** `of` on each head of (N, H·Dh) by itself. */
function perHead(x: Node, heads: number, of: (x: Node) => Node): Node {
  const [rows, width] = x.shape as [number, number];
  return reshape(of(reshape(x, [rows * heads, width / heads])), [rows, width]);
}

/** The bias of a block: as it came, or with what its window hides. `keys`: P + T. */
function biases({ bias, windowBias, past }: ForwardInputs, { windows }: LlamaSettings, keys: number) {
  const narrow = new Map<number, Node>();
  return (block: number): Node => {
    const window = windows[block];
    if (window === undefined || window >= keys) return bias;
    if (windowBias !== undefined) return windowBias;
    if (past !== undefined) throw new Error('decoding with a window needs `windowBias`');
    const known = narrow.get(window) ?? add(bias, windowMask(keys, window));
    narrow.set(window, known);
    return known;
  };
}

function linears(settings: LlamaSettings): LinearLayer[] {
  const sizes = linearSizes(settings);
  return Array.from({ length: settings.blocks }, (_, block) =>
    (Object.keys(sizes) as (keyof typeof sizes)[]).map((target) => ({
      target,
      block,
      weight: `${llamaBlock(block)[target]}.weight`,
      inputs: sizes[target][0],
      outputs: sizes[target][1],
      layout: 'out,in' as const,
    })),
  ).flat();
}
