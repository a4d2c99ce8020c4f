/** How far a run's losses are from those of another run on the same rows. */

/** Steps whose mean is a point of the curve: a loss of one batch is noise beside what training makes of it. */
const STEPS = 10;

export interface CurveDistance {
  /** Of the means of STEPS steps, and of the single steps: the largest |other / exact − 1|. */
  readonly curve: number;
  readonly step: number;
  /** |other / exact − 1| of the mean over all steps. */
  readonly whole: number;
  /** Of the mean over the last STEPS steps. */
  readonly end: number;
}

export function curveDistance(exact: readonly number[], other: readonly number[]): CurveDistance {
  if (exact.length !== other.length || exact.length < STEPS)
    throw new Error(`${exact.length} and ${other.length} losses cannot be compared`);
  const largest = (a: readonly number[], b: readonly number[]) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(b[i]! / value - 1)), 0);
  const [a, b] = [smoothed(exact), smoothed(other)];
  return {
    curve: largest(a, b),
    step: largest(exact, other),
    whole: largest([meanOf(exact)], [meanOf(other)]),
    end: largest(a.slice(-1), b.slice(-1)),
  };
}

/** Whole windows from the first step on; the last one ends with the last step. */
function smoothed(losses: readonly number[]): number[] {
  const count = Math.ceil(losses.length / STEPS);
  return Array.from({ length: count }, (_, i) => {
    const end = Math.min(losses.length, (i + 1) * STEPS);
    return meanOf(losses.slice(end - STEPS, end));
  });
}

const meanOf = (losses: readonly number[]): number =>
  losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
