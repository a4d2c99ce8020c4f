/** Values of GGUF's metadata, and their bytes. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */

/** By their number in the file. */
export const VALUE_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;
export type ValueType = (typeof VALUE_TYPES)[number];
export type ElementType = Exclude<ValueType, 'array'>;
export type Scalar = number | bigint | boolean | string;

export type GgufValue =
  | { readonly type: ElementType; readonly value: Scalar }
  | { readonly type: 'array'; readonly of: ElementType; readonly value: readonly Scalar[] };

export type Metadata = ReadonlyMap<string, GgufValue>;
/** In the order in which they are written. */
export type Entries = [string, GgufValue][];

/** Bytes of one value; a string's are at least its length. */
export const LEAST_BYTES: { readonly [K in ElementType]: number } = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  u64: 8,
  i64: 8,
  f64: 8,
};

export const text = (value: string): GgufValue => ({ type: 'string', value });
export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const f32 = (value: number): GgufValue => ({ type: 'f32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const texts = (value: readonly string[]): GgufValue => ({ type: 'array', of: 'string', value });
export const floats = (value: readonly number[]): GgufValue => ({ type: 'array', of: 'f32', value });
export const integers = (value: readonly number[]): GgufValue => ({ type: 'array', of: 'i32', value });

const write: { readonly [K in Exclude<ElementType, 'string'>]: (bytes: Buffer, value: Scalar) => unknown } = {
  u8: (bytes, value) => bytes.writeUInt8(value as number),
  i8: (bytes, value) => bytes.writeInt8(value as number),
  u16: (bytes, value) => bytes.writeUInt16LE(value as number),
  i16: (bytes, value) => bytes.writeInt16LE(value as number),
  u32: (bytes, value) => bytes.writeUInt32LE(value as number),
  i32: (bytes, value) => bytes.writeInt32LE(value as number),
  f32: (bytes, value) => bytes.writeFloatLE(value as number),
  bool: (bytes, value) => bytes.writeUInt8(value === true ? 1 : 0),
  u64: (bytes, value) => bytes.writeBigUInt64LE(value as bigint),
  i64: (bytes, value) => bytes.writeBigInt64LE(value as bigint),
  f64: (bytes, value) => bytes.writeDoubleLE(value as number),
};

export function bytesOfNumber(type: Exclude<ElementType, 'string'>, value: Scalar): Buffer {
  const bytes = Buffer.alloc(LEAST_BYTES[type]);
  write[type](bytes, value);
  return bytes;
}

/** Its length in 8 bytes, then UTF-8. */
export function bytesOfText(value: string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([bytesOfNumber('u64', BigInt(content.length)), content]);
}

const bytesOfScalar = (type: ElementType, value: Scalar): Buffer =>
  type === 'string' ? bytesOfText(value as string) : bytesOfNumber(type, value);

/** The number of its type, and the value. */
export function bytesOfValue(value: GgufValue): Buffer {
  const type = bytesOfNumber('u32', VALUE_TYPES.indexOf(value.type));
  if (value.type !== 'array') return Buffer.concat([type, bytesOfScalar(value.type, value.value)]);
  return Buffer.concat([
    type,
    bytesOfNumber('u32', VALUE_TYPES.indexOf(value.of)),
    bytesOfNumber('u64', BigInt(value.value.length)),
    ...value.value.map((one) => bytesOfScalar(value.of, one)),
  ]);
}
