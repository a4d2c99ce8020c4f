/** Kernels that combine elements along axes; sums are kept in f64. */
import type { OpAttributes } from '../ops.ts';
import type { Kernel, Value } from './value.ts';
import { stridesOf, walk } from './value.ts';

type Axes = OpAttributes['sum'];

/** Strides of the output for each axis of the input: 0 along what is reduced. */
function outputStrides(x: Value, { axes }: Axes): number[] {
  const kept = stridesOf(x.shape.map((n, i) => (axes.includes(i) ? 1 : n)));
  return kept.map((step, i) => (axes.includes(i) ? 0 : step));
}

function total(x: Value, out: Value, a: Axes): Float64Array {
  const sums = new Float64Array(out.data.length);
  walk(x.shape, outputStrides(x, a), 0, (i, at) => {
    sums[at]! += x.data[i]!;
  });
  return sums;
}

export const sum: Kernel<'sum'> = (out, [x], a) => out.data.set(total(x!, out, a));

export const mean: Kernel<'mean'> = (out, [x], a) => {
  const count = x!.data.length / out.data.length;
  out.data.set(total(x!, out, a).map((v) => v / count));
};

export const max: Kernel<'max'> = (out, [x], a) => {
  out.data.fill(-Infinity);
  walk(x!.shape, outputStrides(x!, a), 0, (i, at) => {
    if (x!.data[i]! > out.data[at]! || Number.isNaN(x!.data[i]!)) out.data[at] = x!.data[i]!;
  });
};

/** Calls `visit(first offset of the row, its length)` for every row of the last axis. */
export function eachRow(x: Value, visit: (start: number, length: number, row: number) => void): void {
  const length = x.shape.at(-1) ?? 1;
  for (let row = 0; row * length < x.data.length; row++) visit(row * length, length, row);
}

export const argmax: Kernel<'argmax'> = (out, [x]) =>
  eachRow(x!, (start, length, row) => {
    let best = 0;
    for (let j = 1; j < length; j++) if (x!.data[start + j]! > x!.data[start + best]!) best = j;
    out.data[row] = best;
  });

/** Largest element of a row and Σ exp(x − largest). */
function normalizer(x: Value, start: number, length: number): [number, number] {
  let largest = -Infinity;
  for (let j = 0; j < length; j++) largest = Math.max(largest, x.data[start + j]!);
  let exponentials = 0;
  for (let j = 0; j < length; j++) exponentials += Math.exp(x.data[start + j]! - largest);
  return [largest, exponentials];
}

export const softmax: Kernel<'softmax'> = (out, [x]) =>
  eachRow(x!, (start, length) => {
    const [largest, exponentials] = normalizer(x!, start, length);
    for (let j = start; j < start + length; j++) out.data[j] = Math.exp(x!.data[j]! - largest) / exponentials;
  });

export const logSoftmax: Kernel<'logSoftmax'> = (out, [x]) =>
  eachRow(x!, (start, length) => {
    const [largest, exponentials] = normalizer(x!, start, length);
    for (let j = start; j < start + length; j++) out.data[j] = x!.data[j]! - largest - Math.log(exponentials);
  });

function moments(x: Value, start: number, length: number, centered: boolean): [number, number] {
  let total = 0;
  for (let j = start; centered && j < start + length; j++) total += x.data[j]!;
  const center = total / length;
  let squares = 0;
  for (let j = start; j < start + length; j++) squares += (x.data[j]! - center) ** 2;
  return [center, squares / length];
}

export const inverseDeviation: Kernel<'inverseDeviation'> = (out, [x], { epsilon, centered }) =>
  eachRow(x!, (start, length, row) => {
    out.data[row] = 1 / Math.sqrt(moments(x!, start, length, centered)[1] + epsilon);
  });

export const layerNorm: Kernel<'layerNorm'> = (out, [x, w, b], { epsilon }) =>
  eachRow(x!, (start, length) => {
    const [center, variance] = moments(x!, start, length, true);
    const scale = 1 / Math.sqrt(variance + epsilon);
    for (let j = 0; j < length; j++)
      out.data[start + j] = (x!.data[start + j]! - center) * scale * w!.data[j]! + b!.data[j]!;
  });

export const rmsNorm: Kernel<'rmsNorm'> = (out, [x, w], { epsilon }) =>
  eachRow(x!, (start, length) => {
    const scale = 1 / Math.sqrt(moments(x!, start, length, false)[1] + epsilon);
    for (let j = 0; j < length; j++) out.data[start + j] = x!.data[start + j]! * scale * w!.data[j]!;
  });
