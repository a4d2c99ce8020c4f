/** Comparing numbers, with a message that says where they differ most. */
import { expect } from 'vitest';

export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
}

/** Every element within absolute + relative · |expected|. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 0, relative = 0 }: Tolerance,
  what = 'values',
): void {
  expect(actual.length, `number of ${what}`).toBe(expected.length);
  let worst = 0;
  let at = -1;
  for (let i = 0; i < expected.length; i++) {
    const excess =
      Math.abs(actual[i]! - expected[i]!) / (absolute + relative * Math.abs(expected[i]!) || 1e-300);
    if (!(excess <= worst)) [worst, at] = [excess, i];
  }
  expect(
    worst,
    `${what}: element ${at} is ${actual[at]}, expected ${expected[at]}; excess`,
  ).toBeLessThanOrEqual(1);
}
