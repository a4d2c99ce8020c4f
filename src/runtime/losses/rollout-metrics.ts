/** What a PPO rollout reports, under the names that the field uses. */

/** One finished response. */
export interface Episode {
  /** Of each sampled token under the policy that sampled it. */
  readonly logProbabilities: ArrayLike<number>;
  /** Estimate of the divergence from the reference at each token. */
  readonly kl: ArrayLike<number>;
  readonly score: number;
  /** Whether it ended with the end token. */
  readonly ended: boolean;
}

const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0);

/** Means over the episodes; `objective/rlhf_reward` = score − coefficient · Σ kl. */
export function rolloutMetrics(episodes: readonly Episode[], coefficient: number): Record<string, number> {
  const mean = (value: (episode: Episode) => number) =>
    episodes.reduce((sum, episode) => sum + value(episode), 0) / episodes.length;
  const kl = mean((episode) => total(episode.kl));
  const scores = mean((episode) => episode.score);
  return {
    'objective/kl': kl,
    'objective/entropy': mean((episode) => -total(episode.logProbabilities)),
    'objective/non_score_reward': -coefficient * kl,
    'objective/rlhf_reward': scores - coefficient * kl,
    'objective/scores': scores,
    'val/num_eos_tokens': episodes.filter((episode) => episode.ended).length,
  };
}
