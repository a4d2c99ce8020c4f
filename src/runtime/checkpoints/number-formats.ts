/** The number formats of safetensors files, and how each becomes one of ours. All little-endian. */
import type { DType, TensorData } from '../programs/ops.ts';

export interface NumberFormat {
  readonly bytes: number;
  /** Absent: known, its size can be checked, but it cannot be read into a tensor. */
  readonly dtype?: DType;
  /** `bytes` starts at an offset that is a multiple of 8. Throws RangeError where a value does not fit. */
  readonly convert?: (bytes: Uint8Array) => TensorData;
}

const view = (bytes: Uint8Array, width: number): [ArrayBuffer, number, number] => [
  bytes.buffer as ArrayBuffer,
  bytes.byteOffset,
  bytes.byteLength / width,
];

const float32Of = new Float32Array(1);
const bitsOf = new Uint32Array(float32Of.buffer);

/** IEEE 754 half precision → single, exact. */
export function halfToFloat(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return (sign === 0 ? 1 : -1) * mantissa * 2 ** -24;
  bitsOf[0] = sign | (exponent === 31 ? 0x7f800000 : (exponent + 112) << 23) | (mantissa << 13);
  return float32Of[0]!;
}

/** Of every half; made when the first tensor of them is read. */
let halves: Float32Array | undefined;

function fromHalf(bytes: Uint8Array): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, half) => halfToFloat(half));
  const bits = new Uint16Array(...view(bytes, 2));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

function fromBrain(bytes: Uint8Array): Float32Array {
  const halves = new Uint16Array(...view(bytes, 2));
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

function fromLong(bytes: Uint8Array): Int32Array {
  const longs = new BigInt64Array(...view(bytes, 8));
  const values = new Int32Array(longs.length);
  for (let i = 0; i < longs.length; i++) {
    const value = Number(longs[i]);
    values[i] = value;
    if (values[i] !== value) throw new RangeError(`the value ${longs[i]} needs more than 32 bits`);
  }
  return values;
}

export const numberFormats: { readonly [format: string]: NumberFormat } = {
  F64: { bytes: 8, dtype: 'f32', convert: (b) => new Float32Array(new Float64Array(...view(b, 8))) },
  F32: { bytes: 4, dtype: 'f32', convert: (b) => new Float32Array(...view(b, 4)) },
  F16: { bytes: 2, dtype: 'f32', convert: fromHalf },
  BF16: { bytes: 2, dtype: 'f32', convert: fromBrain },
  I64: { bytes: 8, dtype: 'i32', convert: fromLong },
  I32: { bytes: 4, dtype: 'i32', convert: (b) => new Int32Array(...view(b, 4)) },
  I16: { bytes: 2, dtype: 'i32', convert: (b) => Int32Array.from(new Int16Array(...view(b, 2))) },
  I8: { bytes: 1, dtype: 'i32', convert: (b) => Int32Array.from(new Int8Array(...view(b, 1))) },
  U8: { bytes: 1, dtype: 'u8', convert: (b) => b },
  BOOL: { bytes: 1, dtype: 'bool', convert: (b) => b },
  U64: { bytes: 8 },
  U32: { bytes: 4 },
  U16: { bytes: 2 },
  F8_E4M3: { bytes: 1 },
  F8_E5M2: { bytes: 1 },
};
