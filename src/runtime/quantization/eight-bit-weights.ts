/** Weights of eight-bit products: whole numbers from −127 to 127, a scale for every column. */
import type { ParameterTensor } from './quantized-parameters.ts';

/**
 * Names of a weight's codes and scales as programs read them. A product with Wᵀ has codes of its own: its columns are W's
 * rows, and each column has its own scale.
 */
export const eightBitParts = (weight: string, transposed: boolean) => {
  const matrix = transposed ? `${weight}.transposed` : weight;
  return { codes: `${matrix}.int8`, scale: `${matrix}.int8.scale` };
};

export interface EightBitTensor {
  readonly dtype: 'i8';
  readonly shape: readonly [number, number];
  readonly data: Int8Array;
}

/**
 * Codes (k, n) and scales (n) of W (k, n), or of W (n, k) transposed: round(127 · w / absmax of the column), and
 * absmax / 127. A column of zeros has scale 0.
 */
export function eightBitWeight(
  weight: string,
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array },
  transposed: boolean,
): [[string, EightBitTensor], [string, ParameterTensor]] {
  const [rows, columns] = shape as [number, number];
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const scale = new Float32Array(n);
  const codes = new Int8Array(k * n);
  const [stepK, stepN] = transposed ? [1, columns] : [columns, 1];
  for (let j = 0; j < n; j++) {
    let largest = 0;
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(data[i * stepK + j * stepN]!));
    scale[j] = largest / 127;
  }
  const inverse = scale.map((step) => (step === 0 ? 0 : 1 / step));
  for (let i = 0; i < k; i++)
    for (let j = 0; j < n; j++) codes[i * n + j] = Math.round(data[i * stepK + j * stepN]! * inverse[j]!);
  const parts = eightBitParts(weight, transposed);
  return [
    [parts.codes, { dtype: 'i8', shape: [k, n], data: codes }],
    [parts.scale, { dtype: 'f32', shape: [n], data: scale }],
  ];
}
