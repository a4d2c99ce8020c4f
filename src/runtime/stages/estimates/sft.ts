/** What `sft` would cost. */
import { languageModelProgram } from '../parts/language-model-program.ts';
import { paddedLengths } from '../parts/padded-batches.ts';
import { headIsTrained } from '../parts/training.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { lengthsOf, type RowLength, total } from './lengths.ts';
import { cap, evaluationRuns, methodSizes, modelOf, roundUp } from './sizes.ts';

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
  const length = Math.max(
    ...paddedLengths(
      rows.map((r) => r.tokens),
      longest,
    ),
  );
  const learned = roundUp(Math.max(1, batch * (total(rows, 'learned') / Math.max(1, rows.length)) * 1.2), 8);
  const forward = languageModelProgram({
    family,
    config,
    batch,
    length,
    rows: learned,
    headTrainable: headIsTrained(family, config, sizes.method),
  });
  const runs = steps * accumulate;
  const { method, besides } = sizes;
  const treated = { program: forward, adapt: method, quantized: method.quantized, besides };
  return {
    model,
    parameters: sizes.parameters,
    steps,
    tokens: Math.round(runs * batch * (total(rows, 'tokens') / Math.max(1, rows.length))),
    work: [
      { ...treated, dropout: true, trainable: method.trainable, runs },
      { ...treated, runs: evaluationRuns(context, Math.ceil(heldOut.length / batch), steps) },
    ],
    diskBytes: sizes.diskBytes,
    notes: sizes.notes,
  };
}
