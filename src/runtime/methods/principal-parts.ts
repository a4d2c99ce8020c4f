/** The largest singular values of a matrix with their vectors, in double precision. */
import { random } from '../random/random.ts';
import type { Matrix } from './weight-matrix.ts';

export interface PrincipalParts {
  /** Largest first. */
  readonly values: readonly number[];
  /** Of each value: u (rows), v (columns), both of length 1; W v = σ u. The largest element of v is positive. */
  readonly left: readonly Float64Array[];
  readonly right: readonly Float64Array[];
}

/** Size of the space that is searched: exact up to matrices of this many columns. */
const LARGEST_SPACE = 128;

/**
 * A block Krylov space of WᵀW, and the singular vectors within it: exact where the space becomes the whole (small
 * matrices), else close to it, as a randomized decomposition is.
 * @see https://arxiv.org/abs/1504.05477 algorithm 2
 */
export function principalParts(matrix: Matrix, count: number): PrincipalParts {
  const { rows, columns } = matrix;
  const stream = random(0, 'principal-parts');
  const size = Math.min(columns, count + 8);
  const basis: Float64Array[] = [];
  const images: Float64Array[] = [];
  let block: Float64Array[] = Array.from({ length: size }, () =>
    Float64Array.from({ length: columns }, stream.normal),
  );
  const most = Math.min(columns, rows + size, Math.max(LARGEST_SPACE, 3 * size));
  while (basis.length < most) {
    const added = block.flatMap((vector) => orthonormalized(vector, basis));
    if (added.length === 0) break;
    const made = added.map((vector) => times(matrix, vector));
    images.push(...made);
    block = made.map((image) => timesTransposed(matrix, image));
  }
  const gram = images.map((a) => Float64Array.from(images, (b) => dot(a, b)));
  const { values, vectors } = symmetricEigen(gram);
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, count);
  const unsorted = order.map((at) => {
    const mix = (all: readonly Float64Array[], length: number) => {
      const sum = new Float64Array(length);
      for (const [j, one] of all.entries()) add(sum, one, vectors[j]![at]!);
      return sum;
    };
    const right = mix(basis, columns);
    const left = mix(images, rows);
    const sign = Math.sign(largest(right)) || 1;
    const value = Math.sqrt(dot(left, left));
    return { value, left: left.map((x) => (sign * x) / (value || 1)), right: right.map((x) => sign * x) };
  });
  // Squares of small values are rounded: their roots may come in another order.
  const parts = unsorted.sort((a, b) => b.value - a.value);
  return {
    values: parts.map(({ value }) => value),
    left: parts.map(({ left }) => left),
    right: parts.map(({ right }) => right),
  };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a ← a + factor · b */
function add(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

const largest = (v: Float64Array): number =>
  v.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);

/** Makes `vector` orthogonal to the basis (twice, against rounding) and adds it; nothing where nothing of it is new. */
function orthonormalized(vector: Float64Array, basis: Float64Array[]): Float64Array[] {
  const before = Math.sqrt(dot(vector, vector));
  const rest = Float64Array.from(vector);
  for (let pass = 0; pass < 2; pass++) for (const one of basis) add(rest, one, -dot(one, rest));
  const length = Math.sqrt(dot(rest, rest));
  if (!(length > 1e-10 * before)) return [];
  const unit = rest.map((x) => x / length);
  basis.push(unit);
  return [unit];
}

function times({ rows, columns, data }: Matrix, v: Float64Array): Float64Array {
  const image = new Float64Array(rows);
  for (let o = 0; o < rows; o++) {
    let sum = 0;
    const at = o * columns;
    for (let i = 0; i < columns; i++) sum += data[at + i]! * v[i]!;
    image[o] = sum;
  }
  return image;
}

function timesTransposed({ rows, columns, data }: Matrix, u: Float64Array): Float64Array {
  const image = new Float64Array(columns);
  for (let o = 0; o < rows; o++) {
    const factor = u[o]!;
    const at = o * columns;
    for (let i = 0; i < columns; i++) image[i]! += data[at + i]! * factor;
  }
  return image;
}

/** Eigenvalues and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations. */
function symmetricEigen(given: readonly Float64Array[]): { values: number[]; vectors: Float64Array[] } {
  const n = given.length;
  const a = given.map((row) => Float64Array.from(row));
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const scale = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0)) || 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p]![q]!;
        off = Math.max(off, Math.abs(apq));
        if (Math.abs(apq) > 1e-300) rotate(a, vectors, p, q);
      }
    if (off <= 1e-16 * scale) break;
  }
  return { values: a.map((row, i) => row[i]!), vectors };
}

function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const [ap, aq] = [a[p]!, a[q]!];
  const theta = (aq[q]! - ap[p]!) / (2 * ap[q]!);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) turn(row, p, q, c, s);
  for (let i = 0; i < ap.length; i++) {
    const [x, y] = [ap[i]!, aq[i]!];
    ap[i] = c * x - s * y;
    aq[i] = s * x + c * y;
  }
  for (const row of vectors) turn(row, p, q, c, s);
}

function turn(row: Float64Array, p: number, q: number, c: number, s: number): void {
  const [x, y] = [row[p]!, row[q]!];
  row[p] = c * x - s * y;
  row[q] = s * x + c * y;
}
