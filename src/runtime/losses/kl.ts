/** The distance to the reference policy, and what it costs. Plain numbers, in double. */

type Numbers = ArrayLike<number>;

export type KlEstimator = 'k1' | 'k3';

/**
 * Of each token, from the log-probabilities of the sampled token under the policy and the reference:
 * k1 = log p − log q (unbiased, may be negative); k3 = q/p − 1 − log(q/p) (unbiased, never negative).
 * @see http://joschu.net/blog/kl-approx.html
 */
export function klPenalty(policy: Numbers, reference: Numbers, estimator: KlEstimator): Float64Array {
  return Float64Array.from({ length: policy.length }, (_, t) => {
    const ratio = reference[t]! - policy[t]!;
    return estimator === 'k1' ? -ratio : Math.exp(ratio) - 1 - ratio;
  });
}

/**
 * Reward a token of one response: −coefficient · kl_t, and the score at the last token.
 * `scoreAt` puts it elsewhere: one past the end token, where padding follows.
 */
export function tokenRewards(
  kl: Numbers,
  score: number,
  coefficient: number,
  scoreAt = kl.length - 1,
): Float64Array {
  const rewards = Float64Array.from(kl, (x) => -coefficient * x);
  rewards[scoreAt]! += score;
  return rewards;
}

/**
 * The next coefficient: proportional control towards a target divergence.
 * e = clip(kl / target − 1, ±0.2), β ← β (1 + e · episodes / horizon); `kl` is the mean over sequences of Σ kl_t.
 * @see https://arxiv.org/abs/1909.08593 section 2.2
 */
export function adaptiveKl(
  coefficient: number,
  { kl, target, horizon, episodes }: { kl: number; target: number; horizon: number; episodes: number },
): number {
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return coefficient * (1 + (error * episodes) / horizon);
}
