/** Loss of a policy on text and on answers. */
import type { Row } from '../../data/row.ts';
import type { Metrics } from '../../run/events.ts';
import { type Batch, type Policy, type StageContext, StageError } from '../stage.ts';
import { documentStream } from './document-stream.ts';
import { type Example, lossMetrics, noRowsLeft } from './examples.ts';
import { languageModelProgram } from './language-model-program.ts';
import { SupervisedBatches, sizesOf } from './padded-batches.ts';
import { runBatches } from './training.ts';
import { evaluationBatches } from './windows.ts';

/** Documents end to end, an end token after each, every token predicted once. */
export async function measureText(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
): Promise<Metrics> {
  const stream = await documentStream(rows, policy.tokenizer);
  if (stream.length < 2)
    throw new StageError('too-few-rows', 'the text has no token to predict', { option: 'data' });
  const { context: length } = policy.family.shape(policy.config);
  const batches = evaluationBatches(stream.tokens, length, Number(context.job.options.batch));
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
  const packed = !batches[0]!.feeds.has('rows');
  const sums = await runBatches(batches, (key) => {
    const [batch, length, rows] = sizesOf(key);
    const spec = { family, config, batch, length, ...(!packed && { rows }), headTrainable: false };
    return context.load(languageModelProgram(spec), weights);
  });
  return lossMetrics(sums);
}
