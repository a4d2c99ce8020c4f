/** The LoRA step that is measured: Llama-like, width 576, 9 heads, 3 key/value heads, inner width 1,536, LoRA r=8 on q, v. */
import { differentiate } from '../src/runtime/gradients/differentiate.ts';
import { causalBias } from '../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../src/runtime/losses/linear-cross-entropy.ts';
import { lora } from '../src/runtime/methods/lora.ts';
import { llama } from '../src/runtime/models/llama.ts';
import { input, program, reshape } from '../src/runtime/programs/builder.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import type { Program } from '../src/runtime/programs/program.ts';
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
}

export function loraStep({ layers, vocabulary, batch, tokens }: LoraSizes): LoraStep {
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
  const { loss } = linearCrossEntropy({
    hidden: reshape(hidden, [batch * tokens, 576]),
    head: llama.head(config),
    labels: input('labels', 'i32', [batch * tokens]),
    weights: input('weights', 'f32', [batch * tokens]),
    metrics: false,
  });
  const forward = method.rewrite(program('lora-step', { loss }));
  const step = optimize(differentiate(forward, { loss: 'loss', withRespectTo: method.trainable }));

  const frozen = initialize(llama.parameters(config));
  const trained = initialize(method.added);
  const weights: Tensor = {
    dtype: 'f32',
    shape: [batch * tokens],
    data: new Float32Array(batch * tokens).fill(1 / (batch * tokens)),
  };
  const feeds = new Map<string, Tensor>([
    ...trained,
    ['ids', randomIntegers([batch, tokens], vocabulary)],
    ['labels', randomIntegers([batch * tokens], vocabulary)],
    [
      'positions',
      { dtype: 'i32', shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) },
    ],
    ['weights', weights],
  ]);
  return { program: step, trainable: method.trainable, frozen, trained, feeds };
}
