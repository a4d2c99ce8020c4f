/**
 * How far logits may move for each number format: the largest difference as a part of the logits' spread. Measured on the
 * models of tests/run/parity.test.ts; a tolerance is a few times the largest that was seen.
 */

/** Two ways to compute the same numbers in f32. */
export const EXACT = 1e-4;

const TOLERANCES = {
  f32: EXACT,
  f16: 0.02,
  bf16: 0.15,
  q8_0: 0.2,
  q4_0: 2,
  nf4: 2,
  fp4: 2,
} as const;

export const toleranceOf = (format: string): number => TOLERANCES[format as keyof typeof TOLERANCES];
