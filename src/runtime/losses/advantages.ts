/** From rewards a token to advantages: generalized advantage estimation and whitening. Plain numbers, in double. */

type Numbers = ArrayLike<number>;

export interface Advantages {
  readonly advantages: Float64Array;
  /** advantages + values */
  readonly returns: Float64Array;
}

/**
 * Of one response: δ_t = r_t + γ V_{t+1} − V_t, A_t = δ_t + γ λ A_{t+1}; the value after the last token is 0.
 * @see https://arxiv.org/abs/1506.02438 equation 16
 */
export function gae(rewards: Numbers, values: Numbers, gamma: number, lambda: number): Advantages {
  const count = rewards.length;
  const advantages = new Float64Array(count);
  const returns = new Float64Array(count);
  let next = 0;
  for (let t = count - 1; t >= 0; t--) {
    const delta = rewards[t]! + gamma * (values[t + 1] ?? 0) - values[t]!;
    next = delta + gamma * lambda * next;
    advantages[t] = next;
    returns[t] = next + values[t]!;
  }
  return { advantages, returns };
}

export interface WhitenOptions {
  /** Move the mean to 0. Default: yes. */
  readonly shiftMean?: boolean;
  /** Divide by n − 1 in the variance. Default: yes. */
  readonly unbiased?: boolean;
}

/** (x − mean) / √(variance + 1e-8) over all the rows together, in fresh rows; mean kept where `shiftMean` is false. */
export function whiten(rows: readonly Numbers[], options: WhitenOptions = {}): Float64Array[] {
  const { mean, variance } = moments(rows, options.unbiased ?? true);
  const scale = 1 / Math.sqrt(variance + 1e-8);
  const back = (options.shiftMean ?? true) ? 0 : mean;
  return rows.map((row) => Float64Array.from(row, (x) => (x - mean) * scale + back));
}

/** Mean and variance over all the rows together; the variance of a single number is 0. */
export function moments(rows: readonly Numbers[], unbiased: boolean): { mean: number; variance: number } {
  let count = 0;
  let total = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) total += row[i]!;
  for (const row of rows) count += row.length;
  const mean = total / count;
  let squares = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) squares += (row[i]! - mean) ** 2;
  return { mean, variance: count < 2 ? 0 : squares / (unbiased ? count - 1 : count) };
}
