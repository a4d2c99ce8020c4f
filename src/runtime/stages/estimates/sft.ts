/** What `sft` would cost. */
import { paddingMatters } from '../parts/frozen-prefix.ts';
import { languageModelProgram } from '../parts/language-model-program.ts';
import { joined } from '../parts/sequences.ts';
import { headIsTrained } from '../parts/training.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { keptRows, withKeptRows } from './kept-rows.ts';
import { lengthsOf } from './lengths.ts';
import { evaluationShapes, type PaddedShape, trainingShapes } from './padded-shapes.ts';
import type { RowLengths } from './row-lengths.ts';
import { cap, evaluationRuns, methodSizes, modelOf } from './sizes.ts';
import { supervisedWork } from './supervised-work.ts';

export async function estimateSft(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config } = model;
  const shape = family.shape(config);
  const { context: longest, width } = shape;
  const sizes = methodSizes(context, model);
  const fitting = (lengths: RowLengths) =>
    lengths.map((tokens, learned) => [Math.min(tokens, longest), Math.min(learned, longest - 1)]);
  const rows = fitting(await lengthsOf(context, 'data', 'train', 'completion', model));
  const heldOut = fitting(await lengthsOf(context, 'data', 'test', 'completion', model));
  const padded = paddingMatters(shape, joined(rows.tokens, heldOut.tokens));
  const batch = Number(options.batch);
  const accumulate = Number(options.accumulate);
  const steps = cap((rows.count * Number(options.epochs)) / (batch * accumulate), context);
  const headTrainable = headIsTrained(family, config, sizes.method);
  const programOf = ({ length, learned }: PaddedShape) =>
    languageModelProgram({ family, config, batch, length, rows: learned, headTrainable });
  const runs = steps * accumulate;
  const order = { batch, runs, seed: Number(options.seed), context: longest };
  const estimate = {
    model: sizes.made,
    parameters: sizes.parameters,
    steps,
    tokens: Math.round(runs * batch * (rows.totalTokens / Math.max(1, rows.count))),
    diskBytes: sizes.diskBytes,
    scratchBytes: sizes.scratchBytes,
    ...supervisedWork({
      sizes,
      trained: sizes.method.trainable,
      training: trainingShapes(rows, order).map((shape) => ({
        program: programOf(shape),
        runs: shape.batches,
      })),
      measuring: evaluationShapes(heldOut, batch, longest).map((shape) => ({
        program: programOf(shape),
        runs: evaluationRuns(context, shape.batches, steps),
      })),
      repeated: !padded && (steps - 1) * batch * accumulate >= rows.count,
      once: {
        tokens: rows.totalTokens + heldOut.totalTokens,
        batches: Math.ceil((rows.count + heldOut.count) / batch),
      },
      width,
    }),
  };
  return withKeptRows(estimate, keptRows(model, rows.kept, heldOut.kept));
}
