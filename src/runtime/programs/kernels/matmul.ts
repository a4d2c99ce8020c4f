/** The matrix product, every element summed in f64. */
import { broadcastStrides, type Kernel, type Value, walk } from './value.ts';

/** Copies one matrix so that its summed axis is contiguous: rows of length k. */
function rowsOf(x: Value, at: number, transposed: boolean): Float64Array {
  const rows = x.shape.at(-2)!;
  const columns = x.shape.at(-1)!;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      out[transposed ? j * rows + i : i * columns + j] = x.data[at + i * columns + j]!;
    }
  return out;
}

export const matmul: Kernel<'matmul'> = (out, [a, b], { transposeA, transposeB, scale }) => {
  const [m, n] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const k = a!.shape.at(transposeA ? -2 : -1)!;
  const lead = out.shape.slice(0, -2);
  const offsets = (x: Value, size: number): number[] => {
    const list: number[] = [];
    walk(lead, broadcastStrides(x.shape.slice(0, -2), lead), 0, (_, at) => list.push(at * size));
    return list;
  };
  const bOffsets = offsets(b!, k * n);
  offsets(a!, m * k).forEach((aAt, batch) => {
    const left = rowsOf(a!, aAt, transposeA);
    const right = rowsOf(b!, bOffsets[batch]!, !transposeB);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let q = 0; q < k; q++) total += left[i * k + q]! * right[j * k + q]!;
        out.data[(batch * m + i) * n + j] = total * scale;
      }
  });
};
