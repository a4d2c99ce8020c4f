/** What `rm` would cost. */
import { paddingMatters } from '../parts/frozen-prefix.ts';
import { preferenceProgram, SCORE } from '../parts/reward-programs.ts';
import { joined } from '../parts/sequences.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { keptRows, withKeptRows } from './kept-rows.ts';
import { lengthsOf } from './lengths.ts';
import { evaluationShapes, type PaddedShape, trainingShapes } from './padded-shapes.ts';
import { cap, evaluationRuns, methodSizes, modelOf } from './sizes.ts';
import { supervisedWork } from './supervised-work.ts';

export async function estimateRm(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config } = model;
  const shape = family.shape(config);
  const { context: longest, width } = shape;
  const sizes = methodSizes(context, model, [{ name: SCORE, shape: [1, width] }]);
  const pairs = await lengthsOf(context, 'data', 'train', 'preference', model);
  const heldOut = await lengthsOf(context, 'data', 'test', 'preference', model);
  const padded = paddingMatters(shape, joined(pairs.tokens, heldOut.tokens));
  const batch = Number(options.batch);
  const accumulate = Number(options.accumulate);
  const steps = cap((pairs.count * Number(options.epochs)) / (batch * accumulate), context);
  const programOf = ({ length }: PaddedShape) =>
    preferenceProgram({ family, config, batch: 2 * batch, length }, Number(options.centering));
  const runs = steps * accumulate;
  const order = { batch, runs, seed: Number(options.seed), context: longest };
  const estimate = {
    model: sizes.made,
    parameters: { total: sizes.parameters.total + width, trainable: sizes.parameters.trainable + width },
    steps,
    tokens: Math.round(runs * 2 * batch * (pairs.totalTokens / Math.max(1, pairs.count))),
    diskBytes: sizes.diskBytes + 4 * width,
    scratchBytes: sizes.scratchBytes,
    ...supervisedWork({
      sizes,
      trained: [...sizes.method.trainable, SCORE],
      training: trainingShapes(pairs, order).map((shape) => ({
        program: programOf(shape),
        runs: shape.batches,
      })),
      measuring: evaluationShapes(heldOut, batch, longest).map((shape) => ({
        program: programOf(shape),
        runs: evaluationRuns(context, shape.batches, steps),
      })),
      repeated: !padded && (steps - 1) * batch * accumulate >= pairs.count,
      once: {
        tokens: 2 * (pairs.totalTokens + heldOut.totalTokens),
        batches: Math.ceil((pairs.count + heldOut.count) / batch),
      },
      width,
    }),
  };
  // Both answers of a pair are taken to be as long as the longer one.
  const both = [pairs, heldOut].map(({ kept }) => ({ tokens: 2 * kept.tokens, rows: 2 * kept.rows }));
  return withKeptRows(estimate, keptRows(model, ...both));
}
