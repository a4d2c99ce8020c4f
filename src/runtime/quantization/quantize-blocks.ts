import { type CodeLookup, codeOf } from './code-lookup.ts';
import { putPackedCode } from './pack-codes.ts';

export interface QuantizedBlocks {
  /** A byte a code, or two codes a byte with the first in the high nibble. */
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
}

/** A number that has no code. */
export class NotFinite extends Error {
  override readonly name = 'NotFinite';
  readonly element: number;
  readonly value: number;

  constructor(element: number, value: number) {
    super(`element ${element} is ${value}`);
    this.element = element;
    this.value = value;
  }
}

/** Keeps the reciprocal finite; a block of smaller numbers than this is scaled to less than one. */
const SMALLEST = Math.fround(1e-38);

/**
 * Blockwise absmax quantization. A whole block is multiplied by its reciprocal absmax and a ragged last one divided by
 * its absmax, in float32 as bitsandbytes does, so that codes agree on every tie; the code is the number of midpoints of
 * the table strictly below the result. A block of zeros has absmax 0 and the code of 0.
 * @param bits Of a code: 4 packs two to a byte, an odd count filled up with the code of 0.
 * @throws NotFinite at the first NaN or infinity.
 * @see https://arxiv.org/abs/2305.14314 section 2, equations 1 and 2
 */
export function quantizeBlocks(
  values: Float32Array,
  block: number,
  lookup: CodeLookup,
  bits: 4 | 8,
): QuantizedBlocks {
  const count = values.length;
  const codes = new Uint8Array(bits === 8 ? count : Math.ceil(count / 2));
  const absmax = new Float32Array(Math.ceil(count / block));
  for (let start = 0, b = 0; start < count; start += block, b++) {
    const end = Math.min(start + block, count);
    const largest = largestOf(values, start, end);
    absmax[b] = largest;
    const divisor = Math.max(largest, SMALLEST);
    const reciprocal = Math.fround(1 / divisor);
    const whole = end - start === block;
    for (let i = start; i < end; i++) {
      const scaled = Math.fround(whole ? values[i]! * reciprocal : values[i]! / divisor);
      const code = codeOf(lookup, Math.max(-1, Math.min(1, scaled)));
      if (bits === 8) codes[i] = code;
      else putPackedCode(codes, i, code);
    }
  }
  if (bits === 4 && count % 2 === 1) putPackedCode(codes, count, codeOf(lookup, 0));
  return { codes, absmax };
}

/** Largest magnitude of a range. */
function largestOf(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  let zero = 0;
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(values[i]!);
    if (magnitude > largest) largest = magnitude;
    zero += magnitude * 0;
  }
  if (zero === 0) return largest;
  const at = values.subarray(start, end).findIndex((value) => !Number.isFinite(value)) + start;
  throw new NotFinite(at, values[at]!);
}
