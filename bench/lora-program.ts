/** The LoRA step that is measured: Llama-like, width 576, 9 heads, 3 key/value heads, inner width 1,536, LoRA r=8 on q, v. */
import { differentiate } from '../src/runtime/gradients/differentiate.ts';
import { causalBias } from '../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../src/runtime/losses/linear-cross-entropy.ts';
import { lora } from '../src/runtime/methods/lora.ts';
import { llama } from '../src/runtime/models/llama.ts';
import { gatherRows, input, program, reshape } from '../src/runtime/programs/builder.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import { type Program, parametersOf } from '../src/runtime/programs/program.ts';
import { eightBitParameters } from '../src/runtime/rewrites/eight-bit-parameters.ts';
import { eightBitProducts } from '../src/runtime/rewrites/eight-bit-products.ts';
import { optimize } from '../src/runtime/rewrites/optimize.ts';
import { initialize, randomIntegers } from './measure.ts';

export interface LoraStep {
  readonly program: Program;
  readonly trainable: readonly string[];
  readonly frozen: ReadonlyMap<string, Tensor>;
  readonly trained: ReadonlyMap<string, Tensor>;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

export interface LoraSizes {
  readonly layers: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly tokens: number;
  /** The last 1 / answer of every row carries loss. */
  readonly answer: number;
  readonly precision: string;
}

/** Positions in batch · tokens that carry loss. */
function supervised({ batch, tokens, answer }: LoraSizes): Int32Array {
  const each = Math.floor(tokens / answer);
  return Int32Array.from({ length: batch * each }, (_, i) => {
    const row = Math.floor(i / each);
    return (row + 1) * tokens - each + (i % each);
  });
}

export function loraStep(sizes: LoraSizes): LoraStep {
  const { layers, vocabulary, batch, tokens } = sizes;
  const rows = supervised(sizes);
  const count = rows.length;
  const config = llama.configure(
    { layers, width: 576, heads: 9, kv_heads: 3, mlp: 1536, context: 2048 },
    { vocabularySize: vocabulary, eos: 0, pad: 0 },
  );
  const method = lora.apply(
    {
      config,
      parameters: llama.parameters(config),
      linears: llama.linears(config),
      blocks: llama.blocks(config),
    },
    { r: 8, targets: ['q', 'v'] },
  );
  const positions = input('positions', 'i32', [1, tokens]);
  const ids = input('ids', 'i32', [batch, tokens]);
  const { hidden } = llama.forward(config, { ids, positions, bias: causalBias(tokens) });
  const all = reshape(hidden, [batch * tokens, 576]);
  const { loss } = linearCrossEntropy({
    hidden: count === batch * tokens ? all : gatherRows(all, input('rows', 'i32', [count])),
    head: llama.head(config),
    labels: input('labels', 'i32', [count]),
    weights: input('weights', 'f32', [count]),
    metrics: false,
  });
  const forward = method.rewrite(program('lora-step', { loss }));
  const whole = differentiate(forward, { loss: 'loss', withRespectTo: method.trainable });
  const base = initialize(llama.parameters(config));
  const eightBit = eightBitProducts((name) => base.has(name));
  const step = optimize(sizes.precision === 'int8' ? eightBit.run(whole) : whole);
  const read = new Set(parametersOf(step).map((node) => node.attributes.name));
  const frozen = eightBitParameters(base, (name) => read.has(name));
  const trained = initialize(method.added);
  const weights: Tensor = {
    dtype: 'f32',
    shape: [count],
    data: new Float32Array(count).fill(1 / count),
  };
  const feeds = new Map<string, Tensor>([
    ...trained,
    ['ids', randomIntegers([batch, tokens], vocabulary)],
    ['labels', randomIntegers([count], vocabulary)],
    ['rows', { dtype: 'i32', shape: [count], data: rows }],
    [
      'positions',
      { dtype: 'i32', shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) },
    ],
    ['weights', weights],
  ]);
  return { program: step, trainable: method.trainable, frozen, trained, feeds };
}
