import { codeLookup } from './code-lookup.ts';
import { codeTables } from './code-tables.ts';
import { quantizeAbsmax } from './double-quantization.ts';
import { QuantizationError } from './quantization-error.ts';
import { NotFinite, quantizeBlocks } from './quantize-blocks.ts';
import {
  bitsOfCode,
  blockProblem,
  DEFAULT_BLOCK,
  elementCount,
  type OriginalType,
  type QuantizationOptions,
  type QuantizedTensor,
} from './quantized-tensor.ts';

/** Row-major. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** What the numbers were in their file; float32 where absent. */
  readonly originalType?: OriginalType;
}

const lookups = {
  nf4: codeLookup(codeTables.nf4),
  fp4: codeLookup(codeTables.fp4),
  int8: codeLookup(codeTables.int8),
  int4: codeLookup(codeTables.int4),
};

/**
 * Quantizes a tensor of any shape, in blocks of its elements as they lie. Codes, absmax and the nested codes are those of
 * bitsandbytes' portable backend, bit for bit.
 * @param name Of the tensor, for errors.
 * @throws QuantizationError where `block` is not a power of two, the shape does not fit the data, or an element is not
 * finite: it says which.
 */
export function quantize(tensor: FloatTensor, options: QuantizationOptions, name?: string): QuantizedTensor {
  const { format, block = DEFAULT_BLOCK, doubleQuantization = false } = options;
  const { shape, data, originalType = 'float32' } = tensor;
  const problem = blockProblem(block);
  if (problem !== undefined) throw new QuantizationError(problem);
  if (elementCount(shape) !== data.length) {
    const sizes = `[${shape.join(', ')}], ${elementCount(shape)} elements, but ${data.length} numbers`;
    throw new QuantizationError(`has the shape ${sizes}`, name ?? 'unnamed');
  }
  try {
    const { codes, absmax } = quantizeBlocks(data, block, lookups[format], bitsOfCode(format));
    return {
      format,
      shape,
      block,
      codes,
      absmax: doubleQuantization ? quantizeAbsmax(absmax) : absmax,
      table: codeTables[format],
      originalType,
    };
  } catch (error) {
    if (!(error instanceof NotFinite)) throw error;
    const place = `at [${placeOf(error.element, shape).join(', ')}]`;
    throw new QuantizationError(`cannot be quantized: it is ${error.value} ${place}`, name ?? 'unnamed');
  }
}

/** Indices of the element with this row-major number. */
function placeOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
}
