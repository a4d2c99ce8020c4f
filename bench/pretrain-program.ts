/** The pretraining step that is measured: GPT-2, every parameter trained and fed. */
import { differentiate } from '../src/runtime/gradients/differentiate.ts';
import { causalBias } from '../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../src/runtime/losses/linear-cross-entropy.ts';
import { gpt2 } from '../src/runtime/models/gpt2.ts';
import { input, program, reshape } from '../src/runtime/programs/builder.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import type { Program } from '../src/runtime/programs/program.ts';
import { optimize } from '../src/runtime/rewrites/optimize.ts';
import { initialize, randomIntegers } from './measure.ts';

export interface PretrainSizes {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly batch: number;
  readonly tokens: number;
  readonly vocabulary: number;
}

export interface PretrainStep {
  readonly program: Program;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

export function pretrainStep({
  layers,
  heads,
  width,
  batch,
  tokens,
  vocabulary,
}: PretrainSizes): PretrainStep {
  const rows = batch * tokens;
  const config = gpt2.configure(
    { layers, heads, width, context: tokens },
    { vocabularySize: vocabulary, eos: 0, pad: 0 },
  );
  const { hidden } = gpt2.forward(config, {
    ids: input('ids', 'i32', [batch, tokens]),
    positions: input('positions', 'i32', [1, tokens]),
    bias: causalBias(tokens),
  });
  const { loss } = linearCrossEntropy({
    hidden: reshape(hidden, [rows, width]),
    head: gpt2.head(config),
    labels: input('labels', 'i32', [rows]),
    weights: input('weights', 'f32', [rows]),
    headTrainable: true,
    metrics: false,
  });
  const parameters = initialize(gpt2.parameters(config));
  const names = [...parameters.keys()];
  const step = optimize(
    differentiate(program('pretrain-step', { loss }), { loss: 'loss', withRespectTo: names }),
  );

  const feeds = new Map<string, Tensor>([
    ...parameters,
    ['ids', randomIntegers([batch, tokens], vocabulary)],
    ['labels', randomIntegers([rows], vocabulary)],
    [
      'positions',
      { dtype: 'i32', shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) },
    ],
    ['weights', { dtype: 'f32', shape: [rows], data: new Float32Array(rows).fill(1 / rows) }],
  ]);
  return { program: step, parameters, feeds };
}
