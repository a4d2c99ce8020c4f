/** One PPO update in numbers: rewards a token, advantages, what a minibatch is fed, and the update's metrics. */
import { gae, whiten } from '../../losses/advantages.ts';
import { type KlEstimator, klPenalty, tokenRewards } from '../../losses/kl.ts';
import { rolloutMetrics } from '../../losses/rollout-metrics.ts';
import type { Metrics } from '../../run/events.ts';
import type { Episode } from './rollout-batch.ts';

/** A row an episode, a column a token of the response; no padding. */
export type Table = readonly ArrayLike<number>[];

export interface Rollout {
  readonly episodes: readonly Episode[];
  readonly logProbability: Table;
  /** Log-probability of the same tokens under the reference. */
  readonly reference: Table;
  readonly values: Table;
  /** One an episode: standardised, the penalty for a missing end token included. */
  readonly scores: readonly number[];
  readonly ended: readonly boolean[];
}

export interface UpdateOptions {
  readonly kl: number;
  readonly estimator: KlEstimator;
  readonly gamma: number;
  readonly lambda: number;
}

/** Advantages are whitened over all tokens of the update; returns are taken before that. */
export function advantagesOf(
  rollout: Rollout,
  { kl, estimator, gamma, lambda }: UpdateOptions,
): { advantages: Table; returns: Table; metrics: Metrics } {
  const divergence = rollout.logProbability.map((row, i) => klPenalty(row, rollout.reference[i]!, estimator));
  const computed = divergence.map((row, i) =>
    gae(tokenRewards(row, rollout.scores[i]!, kl), rollout.values[i]!, gamma, lambda),
  );
  const episodes = divergence.map((row, i) => ({
    logProbabilities: rollout.logProbability[i]!,
    kl: row,
    score: rollout.scores[i]!,
    ended: rollout.ended[i]!,
  }));
  return {
    advantages: whiten(computed.map((c) => c.advantages)),
    returns: computed.map((c) => c.returns),
    metrics: rolloutMetrics(episodes, kl),
  };
}

/** Metrics of the optimisation in TRL's names, averaged over minibatches. */
export function optimisationMetrics(minibatches: readonly ReadonlyMap<string, number>[]): Metrics {
  const average = (name: string) =>
    minibatches.reduce((n, sums) => n + sums.get(name)!, 0) / minibatches.length;
  const ratio = average('ratio');
  return {
    'policy/approxkl_avg': average('approxKl'),
    'policy/clipfrac_avg': average('clipFraction'),
    'policy/entropy_avg': average('entropy'),
    'loss/policy_avg': average('policyLoss'),
    'loss/value_avg': average('valueLoss'),
    'val/clipfrac_avg': average('valueClipFraction'),
    'val/ratio': ratio,
    'val/ratio_var':
      minibatches.reduce((n, sums) => n + (sums.get('ratio')! - ratio) ** 2, 0) / minibatches.length,
  };
}
