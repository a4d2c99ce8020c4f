/** Weights of eight-bit products: whole numbers from −127 to 127, a scale for every column. */
import type { ParameterTensor } from './quantized-parameters.ts';

/** One weight in one direction: the same weight may bear eight bits in the forward product and not in the backward one. */
export interface FrozenProduct {
  readonly weight: string;
  /** Whether Wᵀ is multiplied. */
  readonly transposed: boolean;
}

/**
 * Names of a weight's codes and scales as programs read them. A product with Wᵀ has codes of its own: its columns are W's
 * rows, and each column has its own scale.
 */
export function eightBitNames({ weight, transposed }: FrozenProduct): { codes: string; scale: string } {
  const codes = `${transposed ? `${weight}.transposed` : weight}.int8`;
  return { codes, scale: scaleOfEightBits(codes) };
}

/** Name of the scales that belong to codes. */
export const scaleOfEightBits = (codes: string): string => `${codes}.scale`;

export type EightBitTensor =
  | ParameterTensor
  | { readonly dtype: 'i8'; readonly shape: readonly number[]; readonly data: Int8Array };

/**
 * Codes (k, n) and scales (n) of W (k, n), or of W (n, k) transposed, by their names: round(127 · w / absmax of the
 * column), and absmax / 127. A column of zeros has scale 0.
 */
export function eightBitWeight(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array },
  product: FrozenProduct,
): Map<string, EightBitTensor> {
  const [rows, columns] = shape as [number, number];
  const [k, n] = product.transposed ? [columns, rows] : [rows, columns];
  const [nextRow, nextColumn] = product.transposed ? [1, columns] : [columns, 1];
  const scale = new Float32Array(n);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < n; j++)
      scale[j] = Math.max(scale[j]!, Math.abs(data[i * nextRow + j * nextColumn]!) / 127);
  const inverse = scale.map((step) => (step === 0 ? 0 : 1 / step));
  const codes = new Int8Array(k * n);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < n; j++)
      codes[i * n + j] = Math.round(data[i * nextRow + j * nextColumn]! * inverse[j]!);
  const names = eightBitNames(product);
  return new Map<string, EightBitTensor>([
    [names.codes, { dtype: 'i8', shape: [k, n], data: codes }],
    [names.scale, { dtype: 'f32', shape: [n], data: scale }],
  ]);
}
