/** Products in eight bits: rows as codes, and the product of codes with codes. */
import type { Kernel } from './value.ts';

/** Largest code of a row, as `quantizeRows` says. */
const levels = (signed: boolean) => (signed ? 127 : 255);
const zeroPoint = (signed: boolean) => (signed ? 128 : 0);
/** What one step of a code is worth in a row, in float32 as engines compute it. */
const stepOf = (largest: number, signed: boolean) => Math.fround(largest * Math.fround(1 / levels(signed)));

/** Ties to even. */
function round(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

export const absmax: Kernel<'absmax'> = (out, [x]) => {
  const width = x!.shape.at(-1)!;
  out.data.forEach((_, row) => {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(x!.data[i]!));
    out.data[row] = largest;
  });
};

export const quantizeRows: Kernel<'quantizeRows'> = (out, [x, largest], { signed }) => {
  const length = x!.data.length / largest!.data.length;
  const zero = zeroPoint(signed);
  largest!.data.forEach((value, part) => {
    const step = stepOf(value, signed);
    for (let i = part * length; i < (part + 1) * length; i++)
      out.data[i] = Math.min(255, Math.max(0, round(Math.fround(x!.data[i]! / step)) + zero));
  });
};

export const matmulCodes: Kernel<'matmulCodes'> = (out, [codes, largest, weight, scale], { signed }) => {
  const [k, n] = weight!.shape as [number, number];
  const parts = largest!.shape.at(-1)!;
  const length = k / parts;
  const zero = zeroPoint(signed);
  largest!.data.forEach((value, part) => {
    const step = stepOf(value, signed);
    const row = Math.floor(part / parts);
    const first = (part % parts) * length;
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let q = first; q < first + length; q++)
        total += (codes!.data[row * k + q]! - zero) * weight!.data[q * n + j]!;
      out.data[row * n + j]! += Math.fround(total * scale!.data[j]!) * step;
    }
  });
};
