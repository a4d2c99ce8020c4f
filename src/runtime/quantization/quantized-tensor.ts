/** What a quantized tensor is made of: plain data, the same in memory and in a checkpoint. */

export const quantizedFormats = ['nf4', 'fp4', 'int8', 'int4'] as const;
export type QuantizedFormat = (typeof quantizedFormats)[number];

export interface QuantizationOptions {
  readonly format: QuantizedFormat;
  /** Elements that share one absmax: a power of two, 64 where absent. Blocks run over the flattened tensor. */
  readonly block?: number;
  /** Also quantize the absmax of the blocks, to 8 bits (`double-quantization.ts`); false where absent. */
  readonly doubleQuantization?: boolean;
}

/** Low-rank adapters that stay beside the codes of a weight, frozen: W is what the codes stand for + Σ scale · up down. */
export interface LowRankShape {
  readonly rank: number;
  readonly scale: number;
  /** Whether W lies (in, out), so that it is down and up turned round whose product is added. */
  readonly turned: boolean;
}

/** A frozen weight in codes, and what an earlier training put beside them. */
export interface KeptWeight extends QuantizationOptions {
  readonly beside?: readonly LowRankShape[];
}

/** What the numbers were before. Values are float32 whatever it says; bitsandbytes casts to it. */
export type OriginalType = 'float32' | 'float16' | 'bfloat16';

/** value[i] = table[code[i]] · absmax[⌊i / block⌋], a float32 product. */
export interface QuantizedTensor {
  readonly format: QuantizedFormat;
  /** Of the tensor before quantization, row-major. */
  readonly shape: readonly number[];
  readonly block: number;
  /** Four-bit formats: ⌈n / 2⌉ bytes, the first of two elements in the high nibble. int8: n bytes. */
  readonly codes: Uint8Array;
  /** One for each block, ⌈n / block⌉ in all. */
  readonly absmax: Float32Array | QuantizedAbsmax;
  /** The value of each code: 16 entries, 256 for int8. Tensors of one format share one table. */
  readonly table: Float32Array;
  readonly originalType: OriginalType;
}

/** absmax[b] = map[codes[b]] · absmax[⌊b / block⌋] + offset, each step in float32. */
export interface QuantizedAbsmax {
  /** A byte for each block of the tensor. */
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
  /** 256 values. */
  readonly map: Float32Array;
  /** Mean of the tensor's absmax, a float32. */
  readonly offset: number;
  /** Blocks of the tensor that share one second-level absmax: 256. */
  readonly block: number;
}

export const DEFAULT_BLOCK = 64;
export const NESTED_BLOCK = 256;

/** What codes in memory mean: a weight's, or (`dynamic`) those that double quantization keeps absmax in. */
export type CodeFormat = QuantizedFormat | 'dynamic';

export const bitsOfCode = (format: CodeFormat): 4 | 8 => (format === 'int8' || format === 'dynamic' ? 8 : 4);

export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((count, size) => count * size, 1);

/** Bytes of the packed codes of `count` elements. */
export const codeBytes = (format: CodeFormat, count: number): number =>
  bitsOfCode(format) === 8 ? count : Math.ceil(count / 2);

/** Undefined where `block` will do, else what is wrong with it. */
export function blockProblem(block: number): string | undefined {
  const counts = Number.isInteger(block) && block >= 1 && block <= 2 ** 30;
  if (counts && (block & (block - 1)) === 0) return undefined;
  const nearest = counts ? 2 ** Math.round(Math.log2(block)) : DEFAULT_BLOCK;
  return `block is ${block}, not a power of two: try ${nearest}`;
}

/** How a tensor is quantized. */
export const kindOf = ({ format, block, absmax }: QuantizedTensor): QuantizationOptions => ({
  format,
  block,
  doubleQuantization: !(absmax instanceof Float32Array),
});

/** Whether both quantize alike. */
export const sameOptions = (a: QuantizationOptions, b: QuantizationOptions): boolean =>
  a.format === b.format &&
  (a.block ?? DEFAULT_BLOCK) === (b.block ?? DEFAULT_BLOCK) &&
  (a.doubleQuantization ?? false) === (b.doubleQuantization ?? false);

/** Whether a tensor is quantized as the options say. */
export const sameKind = (tensor: QuantizedTensor, options: QuantizationOptions): boolean =>
  sameOptions(kindOf(tensor), options);
