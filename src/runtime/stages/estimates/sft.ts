/** What `sft` would cost. */
import { paddingMatters } from '../parts/frozen-prefix.ts';
import { languageModelProgram } from '../parts/language-model-program.ts';
import { headIsTrained } from '../parts/training.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { lengthsOf, type RowLength, total } from './lengths.ts';
import { evaluationShapes, type PaddedShape, trainingShapes } from './padded-shapes.ts';
import { cap, evaluationRuns, methodSizes, modelOf } from './sizes.ts';
import { supervisedWork } from './supervised-work.ts';

export async function estimateSft(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config } = model;
  const shape = family.shape(config);
  const { context: longest, width } = shape;
  const sizes = methodSizes(context, model);
  const fitting = (lengths: readonly RowLength[]) =>
    lengths.map((l) => ({ tokens: Math.min(l.tokens, longest), learned: Math.min(l.learned, longest - 1) }));
  const rows = fitting(await lengthsOf(context, 'data', 'train', 'completion', model));
  const heldOut = fitting(await lengthsOf(context, 'data', 'test', 'completion', model));
  const padded = paddingMatters(
    shape,
    [...rows, ...heldOut].map(({ tokens }) => tokens),
  );
  const batch = Number(options.batch);
  const accumulate = Number(options.accumulate);
  const steps = cap((rows.length * Number(options.epochs)) / (batch * accumulate), context);
  const headTrainable = headIsTrained(family, config, sizes.method);
  const programOf = ({ length, learned }: PaddedShape) =>
    languageModelProgram({ family, config, batch, length, rows: learned, headTrainable });
  const runs = steps * accumulate;
  const order = { batch, runs, seed: Number(options.seed), context: longest };
  return {
    model: sizes.made,
    parameters: sizes.parameters,
    steps,
    tokens: Math.round(runs * batch * (total(rows, 'tokens') / Math.max(1, rows.length))),
    diskBytes: sizes.diskBytes,
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
      repeated: !padded && (steps - 1) * batch * accumulate >= rows.length,
      once: {
        tokens: total(rows, 'tokens') + total(heldOut, 'tokens'),
        batches: Math.ceil((rows.length + heldOut.length) / batch),
      },
      width,
    }),
  };
}
