/**
 * How far logits may move for each number format: the largest difference as a part of the logits' spread. What was written is
 * compared exactly with what should have been; this says whether the format is good enough for the model. Two models that have
 * nothing in common are 6 apart.
 */

/** Two ways to compute the same numbers in f32. */
export const EXACT = 1e-4;

const TOLERANCES = {
  f32: EXACT,
  f16: 0.05,
  bf16: 0.3,
  q8_0: 0.5,
  q4_0: 4,
  nf4: 4,
  fp4: 4,
} as const;

export const toleranceOf = (format: string): number => TOLERANCES[format as keyof typeof TOLERANCES];
