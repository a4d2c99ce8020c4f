/** How far a run's losses are from those of another run on the same rows. */

/** Steps whose mean is a point of the curve: a loss of one batch is noise beside what training makes of it. */
const STEPS = 10;

export interface CurveDistance {
  /** Of the means of STEPS steps, and of the single steps: the largest |other / exact − 1|. */
  readonly curve: number;
  readonly step: number;
}

export function curveDistance(exact: readonly number[], other: readonly number[]): CurveDistance {
  if (exact.length !== other.length || exact.length < STEPS)
    throw new Error(`${exact.length} and ${other.length} losses cannot be compared`);
  const largest = (a: readonly number[], b: readonly number[]) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(b[i]! / value - 1)), 0);
  return { curve: largest(smoothed(exact), smoothed(other)), step: largest(exact, other) };
}

/** Whole windows from the first step on; the last one ends with the last step. */
function smoothed(losses: readonly number[]): number[] {
  const count = Math.ceil(losses.length / STEPS);
  return Array.from({ length: count }, (_, i) => {
    const end = Math.min(losses.length, (i + 1) * STEPS);
    return losses.slice(end - STEPS, end).reduce((sum, loss) => sum + loss, 0) / STEPS;
  });
}
