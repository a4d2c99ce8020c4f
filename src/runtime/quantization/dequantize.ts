import { dequantizeBlocks } from './dequantize-blocks.ts';
import { dequantizeAbsmax } from './double-quantization.ts';
import { bitsOfCode, elementCount, type QuantizedTensor } from './quantized-tensor.ts';

/** Every element, row-major. */
export const dequantize = (tensor: QuantizedTensor): Float32Array =>
  dequantizeRange(tensor, 0, elementCount(tensor.shape));

/**
 * Elements [start, end) of the flattened tensor without the others; rows r … s of a matrix of c columns are
 * [r·c, s·c). Equal, bit for bit, to the same part of `dequantize`.
 * @param into Takes the values from its beginning; a new array where absent.
 * @throws RangeError where the range is not inside the tensor or `into` is too short.
 */
export function dequantizeRange(
  tensor: QuantizedTensor,
  start: number,
  end: number,
  into: Float32Array = new Float32Array(Math.max(0, end - start)),
): Float32Array {
  const { codes, table, block, shape, format } = tensor;
  const count = elementCount(shape);
  if (!(start >= 0 && start <= end && end <= count && into.length >= end - start))
    throw new RangeError(`elements ${start} to ${end} of ${count} into ${into.length}`);
  const absmax = dequantizeAbsmax(tensor.absmax, Math.floor(start / block), Math.ceil(end / block));
  dequantizeBlocks({ codes, bits: bitsOfCode(format), table, block, absmax, start, end }, into);
  return into;
}
