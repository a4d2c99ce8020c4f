/** How often a reward model prefers the chosen answer. */
import type { Row } from '../../data/row.ts';
import { preferenceOf } from '../../data/shapes.ts';
import type { Metrics } from '../../run/events.ts';
import type { Policy, StageContext } from '../stage.ts';
import { type Account, emptyAccount, noRowsLeft, type Overlong } from './examples.ts';
import { judge } from './judge.ts';
import { encodePair } from './pairs.ts';
import { longestOf } from './sequences.ts';
import { noRewardModel } from './unmeasurable.ts';

/** Ties count as wrong. Errors: StageError where no reward model reaches the stage, `overlong-row`. */
export async function measurePreferences(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
): Promise<{ metrics: Metrics; account: Account }> {
  const reward = await context.reward();
  if (!reward) throw noRewardModel();
  const { batch, overlong } = context.job.options;
  const longest = reward.family.shape(reward.config).context;
  const account = emptyAccount();
  const pairs = rows.flatMap(
    (row) => encodePair(row, preferenceOf(row), policy, longest, overlong as Overlong, account, false) ?? [],
  );
  account.overlong.refuse(account.rows);
  if (pairs.length === 0) throw noRowsLeft();
  const length = longestOf(pairs.flatMap((p) => [p.chosen, p.rejected]));
  const score = await judge(context, reward, { size: Number(batch), length });
  const chosen = await score(pairs.map((p) => p.chosen));
  const rejected = await score(pairs.map((p) => p.rejected));
  const right = chosen.filter((reward, i) => reward > rejected[i]!).length;
  return { metrics: { reward_accuracy: right / pairs.length }, account };
}
