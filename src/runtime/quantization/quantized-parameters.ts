/** The parts of a quantized weight as parameters that programs read. */
import type { QuantizedTensor } from './quantized-tensor.ts';

export type ParameterTensor =
  | { readonly dtype: 'u8'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'f32'; readonly shape: readonly number[]; readonly data: Float32Array };

/** Names by weight: codes and absmax, or what double quantization has instead of absmax. */
export const partsOf = (weight: string) => ({
  codes: `${weight}.codes`,
  absmax: `${weight}.absmax`,
  nestedCodes: `${weight}.absmax.codes`,
  nestedAbsmax: `${weight}.absmax.absmax`,
  offset: `${weight}.absmax.offset`,
});

/** Names of the `i`-th adapter beside a weight's codes: down (r, in), up (out, r). */
export const besideNames = (weight: string, i: number) => ({
  down: `${weight}.beside.${i}.down`,
  up: `${weight}.beside.${i}.up`,
});

/** What a program reads of one weight; arrays are shared, not copied. */
export function quantizedParameters(weight: string, value: QuantizedTensor): Map<string, ParameterTensor> {
  const parts = partsOf(weight);
  const bytes = (data: Uint8Array): ParameterTensor => ({ dtype: 'u8', shape: [data.length], data });
  const floats = (data: Float32Array): ParameterTensor => ({ dtype: 'f32', shape: [data.length], data });
  const { codes, absmax } = value;
  if (absmax instanceof Float32Array)
    return new Map([
      [parts.codes, bytes(codes)],
      [parts.absmax, floats(absmax)],
    ]);
  return new Map([
    [parts.codes, bytes(codes)],
    [parts.nestedCodes, bytes(absmax.codes)],
    [parts.nestedAbsmax, floats(absmax.absmax)],
    [parts.offset, { dtype: 'f32', shape: [], data: Float32Array.of(absmax.offset) }],
  ]);
}
