/** Singular vectors: of matrices that are known by construction, and of any matrix. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { principalParts } from '../../src/runtime/methods/principal-parts.ts';
import { random } from '../../src/runtime/random/random.ts';
import { expectClose } from '../reference/close.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (x, i) => x * b[i]!).reduce((s, x) => s + x, 0);

/** `count` orthonormal vectors of `size` elements (Gram–Schmidt). */
function orthonormal(size: number, count: number, name: string): number[][] {
  const stream = random(1, name);
  const made: number[][] = [];
  while (made.length < count) {
    let v = Array.from({ length: size }, () => stream.normal());
    for (const u of made) {
      const along = dot(u, v);
      v = v.map((x, i) => x - along * u[i]!);
    }
    const length = Math.sqrt(dot(v, v));
    made.push(v.map((x) => x / length));
  }
  return made;
}

/** Σ σₖ uₖ vₖᵀ */
function matrixWith(rows: number, columns: number, sigma: readonly number[]) {
  const left = orthonormal(rows, sigma.length, 'left');
  const right = orthonormal(columns, sigma.length, 'right');
  const data = new Float32Array(rows * columns);
  for (const [k, s] of sigma.entries())
    for (let o = 0; o < rows; o++)
      for (let i = 0; i < columns; i++) data[o * columns + i]! += s * left[k]![o]! * right[k]![i]!;
  return { matrix: { rows, columns, data }, left, right };
}

test.each([
  [40, 24],
  [24, 40],
  [300, 200],
])('values and vectors of a %i × %i matrix made from them', (rows, columns) => {
  const sigma = Array.from({ length: 20 }, (_, k) => 5 * 0.8 ** k);
  const { matrix, left, right } = matrixWith(rows, columns, sigma);
  const found = principalParts(matrix, 4);
  expectClose(found.values, sigma.slice(0, 4), { relative: 1e-5 });
  for (let k = 0; k < 4; k++) {
    expect(Math.abs(dot(found.left[k]!, left[k]!))).toBeGreaterThan(1 - 1e-6);
    expect(Math.abs(dot(found.right[k]!, right[k]!))).toBeGreaterThan(1 - 1e-6);
    const most = found.right[k]!.reduce((m, x) => (Math.abs(x) > Math.abs(m) ? x : m), 0);
    expect(most).toBeGreaterThan(0);
  }
});

test('of a large random matrix, whose values lie close together, what is left is close to the best', () => {
  const stream = random(3, 'noise');
  const [rows, columns, r] = [256, 384, 8];
  const data = Float32Array.from({ length: rows * columns }, () => stream.normal());
  const { values } = principalParts({ rows, columns, data }, r);
  // The largest value of a random matrix is about √rows + √columns.
  const edge = Math.sqrt(rows) + Math.sqrt(columns);
  expect(values[0]! / edge).toBeGreaterThan(0.95);
  expect(values[0]! / edge).toBeLessThan(1.02);
  expect(values[r - 1]! / edge).toBeGreaterThan(0.9);
});

test('all of them together are the matrix', () => {
  const elements = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 35, maxLength: 35 });
  fc.assert(
    fc.property(elements, (values) => {
      const matrix = { rows: 7, columns: 5, data: Float32Array.from(values) };
      const found = principalParts(matrix, 5);
      const sum = new Float64Array(35);
      for (const [k, value] of found.values.entries())
        for (let at = 0; at < 35; at++)
          sum[at]! += value * found.left[k]![Math.floor(at / 5)]! * found.right[k]![at % 5]!;
      expectClose(sum, values, { absolute: 1e-6 });
      expect([...found.values].sort((a, b) => b - a)).toEqual(found.values);
    }),
    { numRuns: 100 },
  );
});
