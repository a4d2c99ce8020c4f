/** How a weight's numbers lie in GGUF, beside Hugging Face's (out, in). */
import type { Tensor } from '../programs/ops.ts';

export type Arrangement =
  | 'same'
  /** GPT-2's Conv1D is (in, out). */
  | 'transposed'
  /**
   * llama.cpp rotates neighbouring rows of each of these heads, Hugging Face a row and the one half a head further on:
   * the rows of a head are written 0, h/2, 1, h/2 + 1, …
   */
  | { readonly heads: number };

/** Errors: none; the shape is a matrix unless `same`, or a vector of rows where there are heads. */
export function arrange(tensor: Tensor, to: Arrangement): Tensor {
  if (to === 'same') return tensor;
  return to === 'transposed' ? transposed(tensor) : moved(tensor, rowOrder(tensor, to.heads));
}

/** The way back. */
export function restore(tensor: Tensor, from: Arrangement): Tensor {
  if (from === 'same') return tensor;
  if (from === 'transposed') return transposed(tensor);
  const back = new Int32Array(tensor.shape[0]!);
  rowOrder(tensor, from.heads).forEach((source, row) => {
    back[source] = row;
  });
  return moved(tensor, back);
}

/** For each row the row that it comes from. */
function rowOrder({ shape }: Tensor, heads: number): Int32Array {
  const size = shape[0]! / heads;
  return Int32Array.from({ length: shape[0]! }, (_, row) => {
    const inside = row % size;
    return row - inside + (inside % 2) * (size / 2) + Math.floor(inside / 2);
  });
}

function moved({ dtype, shape, data }: Tensor, sources: Int32Array): Tensor {
  const width = data.length / shape[0]!;
  const result = new Float32Array(data.length);
  const from = data as Float32Array;
  sources.forEach((source, row) => {
    result.set(from.subarray(source * width, (source + 1) * width), row * width);
  });
  return { dtype, shape, data: result };
}

function transposed({ dtype, shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as readonly [number, number];
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column]!;
  return { dtype, shape: [columns, rows], data: result };
}
