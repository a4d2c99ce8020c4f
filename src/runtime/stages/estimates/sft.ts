/** What `sft` would cost. */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import type { Program } from '../../programs/program.ts';
import { prefixOf, suffixOf } from '../../rewrites/cut-prefix.ts';
import { frozenBlocks, prefixBytes } from '../parts/frozen-prefix.ts';
import { languageModelProgram } from '../parts/language-model-program.ts';
import { headIsTrained } from '../parts/training.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { lengthsOf, type RowLength, total } from './lengths.ts';
import { evaluationShapes, type PaddedShape, trainingShapes } from './padded-shapes.ts';
import { cap, evaluationRuns, methodSizes, modelOf } from './sizes.ts';

export async function estimateSft(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config, tokensPerByte } = model;
  const { context: longest } = family.shape(config);
  const sizes = methodSizes(context, model);
  const fitting = (lengths: readonly RowLength[]) =>
    lengths.map((l) => ({ tokens: Math.min(l.tokens, longest), learned: Math.min(l.learned, longest - 1) }));
  const rows = fitting(await lengthsOf(context, 'data', 'train', 'completion', tokensPerByte));
  const heldOut = fitting(await lengthsOf(context, 'data', 'test', 'completion', tokensPerByte));
  const batch = Number(options.batch);
  const accumulate = Number(options.accumulate);
  const steps = cap((rows.length * Number(options.epochs)) / (batch * accumulate), context);
  const headTrainable = headIsTrained(family, config, sizes.method);
  const programOf = ({ length, learned }: PaddedShape) =>
    languageModelProgram({ family, config, batch, length, rows: learned, headTrainable });
  const runs = steps * accumulate;
  const order = { batch, runs, seed: Number(options.seed), context: longest };
  const shapes = trainingShapes(rows, order).map((shape) => ({ ...shape, program: programOf(shape) }));
  const measured = evaluationShapes(heldOut, batch, longest);
  const { method, treatment, besides } = sizes;
  const { program: forward } = shapes[0]!;
  const repeated = (steps - 1) * batch * accumulate >= rows.length;
  const frozen = frozenBlocks({ method, trained: method.trainable, program: forward, repeated });
  const kept = prefixBytes(total(rows, 'tokens') + total(heldOut, 'tokens'), family.shape(config).width);
  const stepped = (program: Program) =>
    frozen === 0
      ? { ...treatment, program, besides }
      : { ...treatment, program: suffixOf(program, frozen), besides: besides + kept };
  return {
    model: sizes.made,
    parameters: sizes.parameters,
    steps,
    tokens: Math.round(runs * batch * (total(rows, 'tokens') / Math.max(1, rows.length))),
    held: { ...sizes.held, rows: frozen === 0 ? 0 : kept },
    work: [
      ...(frozen === 0
        ? []
        : [
            {
              ...treatment,
              program: prefixOf(forward, frozen),
              released: true,
              runs: Math.ceil((rows.length + heldOut.length) / batch),
            },
          ]),
      ...measured.map((shape) => ({
        ...stepped(programOf(shape)),
        runs: evaluationRuns(context, shape.batches, steps),
      })),
      ...shapes.map(({ program, batches }) => ({
        ...stepped(program),
        dropout: true,
        trainable: method.trainable,
        runs: batches,
      })),
    ],
    diskBytes: sizes.diskBytes,
    notes: [
      ...sizes.notes,
      ...(frozen === 0
        ? []
        : [
            `rows pass ${frozen === 1 ? 'the frozen block' : `the ${frozen} frozen blocks`} once, not every epoch: ${readableBytes(kept)} are kept for it`,
          ]),
    ],
  };
}
