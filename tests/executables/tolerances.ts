/** How far an executable may be from the oracle: |a − b| ≤ absolute + relative · |b|, by what is computed. */
import { expect } from 'vitest';
import type { Value } from '../../src/runtime/programs/kernels/value.ts';
import type { OpName } from '../../src/runtime/programs/ops.ts';

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

const rounding: Tolerance = { absolute: 1e-6, relative: 2e-6 };
const approximated: Tolerance = { absolute: 4e-6, relative: 1e-5 };

/** Operations that engines approximate by polynomials or sum in another order; all others round once or not at all. */
const looser: ReadonlyMap<OpName, Tolerance> = new Map(
  (
    [
      'exp',
      'erf',
      'gelu',
      'inverseDeviation',
      'layerNorm',
      'log',
      'logSoftmax',
      'matmul',
      'mean',
      'rmsNorm',
      'sigmoid',
      'silu',
      'softmax',
      'softplus',
      'sum',
      'tanh',
    ] as const
  ).map((op) => [op, approximated]),
);
export const toleranceOf = (op: OpName): Tolerance => looser.get(op) ?? rounding;
/** Layers and whole steps: errors of many operations add up. */
export const composite: Tolerance = { absolute: 3e-5, relative: 1e-4 };

export function expectClose(
  actual: Value,
  expected: Value,
  { absolute, relative }: Tolerance,
  what: string,
): void {
  expect({ dtype: actual.dtype, shape: [...actual.shape] }, what).toEqual({
    dtype: expected.dtype,
    shape: [...expected.shape],
  });
  expected.data.forEach((want, i) => {
    const got = actual.data[i]!;
    const near = Object.is(got, want) || Math.abs(got - want) <= absolute + relative * Math.abs(want);
    if (!near) expect(got, `${what}: element ${i}`).toBe(want);
  });
}
