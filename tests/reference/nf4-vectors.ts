/** vectors/nf4.json, read. */
import { readFileSync } from 'node:fs';

export interface Nf4Vector {
  readonly name: string;
  readonly n: number;
  readonly blocksize: number;
  readonly weights: Float32Array;
  readonly packed: Uint8Array;
  readonly absmax: readonly number[];
  readonly dequantized: Float32Array;
  /** Mean squared error. */
  readonly mse: number;
  readonly bits_per_param: { readonly single: number; readonly double: number };
  readonly double: {
    readonly offset: number;
    readonly nested_blocksize: number;
    readonly codes: readonly number[];
    readonly nested_absmax: readonly number[];
    readonly absmax_dequant: readonly number[];
    readonly dequantized: Float32Array;
    readonly mse: number;
  };
}

interface Document {
  readonly nf4_codebook: readonly number[];
  readonly nf4_boundaries: readonly number[];
  readonly dynamic_map_signed_8bit: readonly number[];
  // biome-ignore lint/suspicious/noExplicitAny: as the file has them, arrays in base64 and hexadecimal
  readonly vectors: readonly any[];
}

const document = JSON.parse(readFileSync(new URL('./vectors/nf4.json', import.meta.url), 'utf8')) as Document;

const floats = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);

export const nf4Codebook = document.nf4_codebook;
export const nf4Boundaries = document.nf4_boundaries;
export const signedDynamicMap = document.dynamic_map_signed_8bit;
export const nf4Vectors: readonly Nf4Vector[] = document.vectors.map((vector) => ({
  ...vector,
  weights: floats(vector.weights_f32_b64),
  packed: Uint8Array.from(Buffer.from(vector.packed_hex, 'hex')),
  dequantized: floats(vector.dequant_f32_b64),
  double: { ...vector.double_quant, dequantized: floats(vector.double_quant.dequant_f32_b64) },
}));
