/** A weight as (out, in), whichever way the model stores it. */
import type { BaseWeights } from './method.ts';

/** Row-major, `rows` outputs and `columns` inputs. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Outputs first … last of a weight. Errors: Error where the base lacks it. */
export function matrixOf(
  base: BaseWeights,
  weight: {
    readonly weight: string;
    readonly layout: 'out,in' | 'in,out';
    readonly inputs: number;
    readonly outputs: number;
  },
  [first, last]: readonly [number, number] = [0, weight.outputs],
): Matrix {
  const tensor = base.get(weight.weight);
  if (tensor === undefined) throw new Error(`the base model has no weight ${weight.weight}`);
  const all = tensor.data as Float32Array;
  const { inputs, outputs, layout } = weight;
  const rows = last - first;
  if (layout === 'out,in')
    return { rows, columns: inputs, data: all.subarray(first * inputs, last * inputs) };
  const data = new Float32Array(rows * inputs);
  for (let i = 0; i < inputs; i++)
    for (let o = first; o < last; o++) data[(o - first) * inputs + i] = all[i * outputs + o]!;
  return { rows, columns: inputs, data };
}

/** ‖row‖ of every row. */
export function rowLengths({ rows, columns, data }: Matrix): Float64Array {
  const lengths = new Float64Array(rows);
  for (let o = 0; o < rows; o++) {
    let sum = 0;
    for (let i = o * columns; i < (o + 1) * columns; i++) sum += data[i]! * data[i]!;
    lengths[o] = Math.sqrt(sum);
  }
  return lengths;
}
