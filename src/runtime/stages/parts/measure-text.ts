/** Loss of a policy on text and on answers. */
import type { Row } from '../../data/row.ts';
import type { Metrics } from '../../run/events.ts';
import { type Batch, type Policy, type StageContext, StageError } from '../stage.ts';
import { documentStream } from './document-stream.ts';
import { type Example, lossMetrics, noRowsLeft } from './examples.ts';
import { languageModelProgram } from './language-model-program.ts';
import { learnedTokens, SupervisedBatches, shapeOf } from './padded-batches.ts';
import { packed, separate } from './text-course.ts';
import { runBatches } from './training.ts';

/** Documents as `packing` has them, an end token after each, every token but the first of a sequence predicted once. */
export async function measureText(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
): Promise<Metrics> {
  const { tokenizer, family, config } = policy;
  const { tokens } = await documentStream(rows, tokenizer);
  const { batch, packing } = context.job.options;
  const layout = packing === false ? separate : packed;
  const { context: length } = family.shape(config);
  const batches = layout.evaluation({ tokens, end: tokenizer.eos }, length, Number(batch));
  if (batches.length === 0)
    throw new StageError('too-few-rows', 'the text has no token to predict', { option: 'data' });
  return languageModelLoss(context, policy, batches);
}

/** Over the tokens of the answers alone. */
export async function measureExamples(
  context: StageContext,
  policy: Policy,
  examples: readonly Example[],
): Promise<Metrics> {
  const { context: length } = policy.family.shape(policy.config);
  if (examples.length === 0) throw noRowsLeft();
  const size = Number(context.job.options.batch);
  const batches = new SupervisedBatches(examples, size, 1, 0, length, 0).evaluation();
  return languageModelLoss(context, policy, batches);
}

async function languageModelLoss(
  context: StageContext,
  { family, config, weights }: Policy,
  batches: readonly Batch[],
): Promise<Metrics> {
  const sums = await runBatches(batches, (key) =>
    context.load(languageModelProgram({ family, config, headTrainable: false, ...shapeOf(key) }), weights),
  );
  return {
    ...lossMetrics(sums),
    supervised_tokens: batches.reduce((n, batch) => n + learnedTokens(batch), 0),
  };
}
