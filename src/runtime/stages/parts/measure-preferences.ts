/** How often a reward model prefers the chosen answer. */
import { preferenceOf } from '../../data/shapes.ts';
import type { Metrics } from '../../run/events.ts';
import type { Policy, StageContext } from '../stage.ts';
import { type Account, emptyAccount, noRowsLeft, type Overlong } from './examples.ts';
import { judge } from './judge.ts';
import type { MeasuredRows } from './measured-rows.ts';
import { encodePair } from './pairs.ts';
import { StoredPairs } from './stored-pairs.ts';
import { longestIn, sequencesFor } from './stored-sequences.ts';
import { noRewardModel } from './unmeasurable.ts';

/** Ties count as wrong. Errors: StageError where no reward model reaches the stage, `overlong-row`. */
export async function measurePreferences(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
): Promise<{ metrics: Metrics; account: Account }> {
  const reward = await context.reward();
  if (!reward) throw noRewardModel();
  const { batch, overlong } = context.job.options;
  const longest = reward.family.shape(reward.config).context;
  const account = emptyAccount();
  const pairs = new StoredPairs(sequencesFor(context, policy.tokenizer));
  for await (const row of rows) {
    const preference = preferenceOf(row);
    const pair = encodePair(row, preference, policy, longest, overlong as Overlong, account, false);
    if (pair) pairs.add(pair);
  }
  account.overlong.refuse(account.rows);
  if (pairs.count === 0) throw noRowsLeft();
  const size = Number(batch);
  const score = await judge(context, reward, { size, length: longestIn(pairs.answers) });
  let right = 0;
  for (let first = 0; first < pairs.count; first += size) {
    context.checkStop();
    const count = Math.min(size, pairs.count - first);
    const part = Array.from({ length: count }, (_, i) => pairs.read(first + i));
    const chosen = await score(part.map((pair) => pair.chosen));
    const rejected = await score(part.map((pair) => pair.rejected));
    right += chosen.filter((reward, i) => reward > rejected[i]!).length;
  }
  return { metrics: { reward_accuracy: right / pairs.count }, account };
}
