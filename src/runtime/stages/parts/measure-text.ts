/** Loss of a policy on text and on answers. */
import type { Metrics } from '../../run/events.ts';
import { type Batch, type Policy, type StageContext, StageError } from '../stage.ts';
import { documentStream } from './document-stream.ts';
import { lossMetrics, noRowsLeft } from './examples.ts';
import { languageModelProgram } from './language-model-program.ts';
import type { MeasuredRows } from './measured-rows.ts';
import { learnedTokens, SupervisedBatches, shapeOf } from './padded-batches.ts';
import type { StoredSequences } from './stored-sequences.ts';
import { packed, separate } from './text-course.ts';
import { runBatches } from './training.ts';

/** Documents as `packing` has them, an end token after each, every token but the first of a sequence predicted once. */
export async function measureText(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
): Promise<Metrics> {
  const { tokenizer, family, config } = policy;
  const tokens = await documentStream(context, rows, tokenizer);
  const { batch, packing } = context.job.options;
  const layout = packing === false ? separate : packed;
  const { context: length } = family.shape(config);
  const evaluation = layout.evaluation({ tokens, end: tokenizer.eos }, length, Number(batch));
  if (evaluation === undefined)
    throw new StageError('too-few-rows', 'the text has no token to predict', { option: 'data' });
  return languageModelLoss(context, policy, evaluation.batches());
}

/** Over the tokens of the answers alone. */
export async function measureExamples(
  context: StageContext,
  policy: Policy,
  examples: StoredSequences,
): Promise<Metrics> {
  const { context: length } = policy.family.shape(policy.config);
  if (examples.count === 0) throw noRowsLeft();
  const size = Number(context.job.options.batch);
  const batches = new SupervisedBatches(examples, size, 1, 0, length, 0).evaluation();
  return languageModelLoss(context, policy, batches);
}

async function languageModelLoss(
  context: StageContext,
  { family, config, weights }: Policy,
  batches: Iterable<Batch>,
): Promise<Metrics> {
  let learned = 0;
  const counted = function* () {
    for (const batch of batches) {
      context.checkStop();
      learned += learnedTokens(batch);
      yield batch;
    }
  };
  const sums = await runBatches(counted(), (key) =>
    context.load(languageModelProgram({ family, config, headTrainable: false, ...shapeOf(key) }), weights),
  );
  return { ...lossMetrics(sums), supervised_tokens: learned };
}
