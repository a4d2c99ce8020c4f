/** What `rm` would cost. */
import { paddedLengths } from '../parts/padded-batches.ts';
import { preferenceProgram, SCORE } from '../parts/reward-programs.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { lengthsOf, total } from './lengths.ts';
import { cap, evaluationRuns, methodSizes, modelOf } from './sizes.ts';

export async function estimateRm(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config, tokensPerByte } = model;
  const { context: longest, width } = family.shape(config);
  const sizes = methodSizes(context, model, [{ name: SCORE, shape: [1, width] }]);
  const pairs = await lengthsOf(context, 'data', 'train', 'preference', tokensPerByte);
  const heldOut = await lengthsOf(context, 'data', 'test', 'preference', tokensPerByte);
  const batch = Number(options.batch);
  const accumulate = Number(options.accumulate);
  const steps = cap((pairs.length * Number(options.epochs)) / (batch * accumulate), context);
  const length = Math.max(
    ...paddedLengths(
      pairs.map((p) => p.tokens),
      longest,
    ),
  );
  const spec = { family, config, batch: 2 * batch, length };
  const forward = preferenceProgram(spec, Number(options.centering));
  const runs = steps * accumulate;
  const { method, besides } = sizes;
  const treated = { program: forward, adapt: method, quantized: method.quantized, besides };
  return {
    model,
    parameters: { total: sizes.parameters.total + width, trainable: sizes.parameters.trainable + width },
    steps,
    tokens: Math.round(runs * 2 * batch * (total(pairs, 'tokens') / Math.max(1, pairs.length))),
    work: [
      { ...treated, dropout: true, trainable: [...method.trainable, SCORE], runs },
      { ...treated, runs: evaluationRuns(context, Math.ceil(heldOut.length / batch), steps) },
    ],
    diskBytes: sizes.diskBytes + 4 * width,
    notes: sizes.notes,
  };
}
