/** Kernels that move elements: shapes, selection, scatter. */
import { sizeOf } from '../program.ts';
import { eachRow } from './reductions.ts';
import type { Kernel } from './value.ts';
import { broadcastStrides, stridesOf, walk } from './value.ts';

export const transpose: Kernel<'transpose'> = (out, [x], { permutation }) => {
  const strides = stridesOf(x!.shape);
  walk(
    out.shape,
    permutation.map((axis) => strides[axis]!),
    0,
    (i, at) => {
      out.data[i] = x!.data[at]!;
    },
  );
};

export const expand: Kernel<'expand'> = (out, [x]) =>
  walk(out.shape, broadcastStrides(x!.shape, out.shape), 0, (i, at) => {
    out.data[i] = x!.data[at]!;
  });

export const slice: Kernel<'slice'> = (out, [x], { starts }) => {
  const strides = stridesOf(x!.shape);
  const offset = starts.reduce((at, start, axis) => at + start * strides[axis]!, 0);
  walk(out.shape, strides, offset, (i, at) => {
    out.data[i] = x!.data[at]!;
  });
};

export const pad: Kernel<'pad'> = (out, [x], { before }) => {
  const strides = stridesOf(out.shape);
  const offset = before.reduce((at, n, axis) => at + n * strides[axis]!, 0);
  walk(x!.shape, strides, offset, (i, at) => {
    out.data[at] = x!.data[i]!;
  });
};

export const concat: Kernel<'concat'> = (out, inputs, { axis }) => {
  const strides = stridesOf(out.shape);
  let offset = 0;
  for (const x of inputs) {
    walk(x.shape, strides, offset, (i, at) => {
      out.data[at] = x.data[i]!;
    });
    offset += x.shape[axis]! * strides[axis]!;
  }
};

function checkIndex(i: number, count: number): void {
  if (i < 0 || i >= count) throw new RangeError(`index ${i} is outside the ${count} rows`);
}

export const gatherRows: Kernel<'gatherRows'> = (out, [table, index]) => {
  const width = sizeOf(table!.shape.slice(1));
  index!.data.forEach((from, to) => {
    checkIndex(from, table!.shape[0]!);
    out.data.set(table!.data.subarray(from * width, (from + 1) * width), to * width);
  });
};

export const scatterRows: Kernel<'scatterRows'> = (out, [index, rows], { count }) => {
  const width = sizeOf(out.shape.slice(1));
  const sums = new Float64Array(out.data.length);
  index!.data.forEach((to, from) => {
    checkIndex(to, count);
    for (let j = 0; j < width; j++) sums[to * width + j]! += rows!.data[from * width + j]!;
  });
  out.data.set(sums);
};

export const pick: Kernel<'pick'> = (out, [x, index]) =>
  eachRow(x!, (start, length, row) => {
    checkIndex(index!.data[row]!, length);
    out.data[row] = x!.data[start + index!.data[row]!]!;
  });

export const place: Kernel<'place'> = (out, [index, values], { size }) =>
  index!.data.forEach((at, row) => {
    checkIndex(at, size);
    out.data[row * size + at] = values!.data[row]!;
  });

export const rotateHalf: Kernel<'rotateHalf'> = (out, [x]) =>
  eachRow(x!, (start, length) => {
    const half = length / 2;
    for (let j = 0; j < half; j++) {
      out.data[start + j] = -x!.data[start + half + j]!;
      out.data[start + half + j] = x!.data[start + j]!;
    }
  });

export const rotary: Kernel<'rotary'> = (out, [x, cos, sin]) => {
  const [, heads, tokens, size] = x!.shape as [number, number, number, number];
  const half = size / 2;
  eachRow(x!, (start, _, row) => {
    const sequence = cos!.shape[0] === 1 ? 0 : Math.floor(row / (heads * tokens));
    const angles = (sequence * tokens + (row % tokens)) * half;
    for (let j = 0; j < half; j++) {
      const [a, b] = [x!.data[start + j]!, x!.data[start + half + j]!];
      const [c, s] = [cos!.data[angles + j]!, sin!.data[angles + j]!];
      out.data[start + j] = a * c - b * s;
      out.data[start + half + j] = b * c + a * s;
    }
  });
};
