import { QuantizationError } from './quantization-error.ts';
import {
  blockProblem,
  codeBytes,
  DEFAULT_BLOCK,
  elementCount,
  NESTED_BLOCK,
  type QuantizationOptions,
} from './quantized-tensor.ts';

/**
 * Bytes of a tensor of this shape once quantized: codes, absmax and, with double quantization, its offset. Exact; the
 * tables are not counted, because every tensor of a format shares one. A large matrix in four bits with blocks of 64
 * takes 4.5 bits a parameter, 4.127 with double quantization.
 * @throws QuantizationError where `block` is not a power of two.
 * @see https://arxiv.org/abs/2305.14314 section 3, "Double Quantization"
 */
export function quantizedBytes(shape: readonly number[], options: QuantizationOptions): number {
  const { format, block = DEFAULT_BLOCK, doubleQuantization = false } = options;
  const problem = blockProblem(block);
  if (problem !== undefined) throw new QuantizationError(problem);
  const count = elementCount(shape);
  const blocks = Math.ceil(count / block);
  const constants = doubleQuantization ? blocks + 4 * Math.ceil(blocks / NESTED_BLOCK) + 4 : 4 * blocks;
  return codeBytes(format, count) + constants;
}
