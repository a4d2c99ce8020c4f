/** How far two models' logits lie apart. */

export interface Difference {
  /** Largest absolute difference of a logit. */
  readonly largest: number;
  /** The same as a part of the logits' spread: the root mean square of their distance from the mean of their position. */
  readonly relative: number;
  /** Index of the largest, and its 1-based position in the sequence. */
  readonly at: number;
  readonly position: number;
}

/** `before`, `after`: (T, V), V = 1 for rewards. What is no number, or of another length, is infinitely far away. */
export function differenceOf(before: Float32Array, after: Float32Array, tokens: number): Difference {
  let [largest, at] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    const apart = Math.abs(before[i]! - (after[i] ?? Number.NaN));
    if (apart > largest || Number.isNaN(apart)) [largest, at] = [apart, i];
    if (Number.isNaN(apart)) break;
  }
  const width = before.length / tokens;
  const lies = Number.isNaN(largest) || after.length !== before.length;
  return {
    largest,
    relative: lies ? Number.POSITIVE_INFINITY : largest === 0 ? 0 : largest / spreadOf(before, tokens),
    at,
    position: Math.floor(at / width) + 1,
  };
}

function spreadOf(logits: Float32Array, tokens: number): number {
  const width = logits.length / tokens;
  let squares = 0;
  for (let t = 0; t < tokens; t++) {
    const row = logits.subarray(t * width, (t + 1) * width);
    const mean = width === 1 ? 0 : row.reduce((sum, x) => sum + x, 0) / width;
    for (const x of row) squares += (x - mean) ** 2;
  }
  return Math.sqrt(squares / logits.length);
}
