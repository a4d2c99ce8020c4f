/**
 * Double quantization: the absmax of the blocks, less their mean, in eight bits. Against 32 bits for every 64 elements it
 * saves 0.373 bits a parameter, and adds about 0.06 % to the squared error of NF4.
 * @see https://arxiv.org/abs/2305.14314 section 3, "Double Quantization"
 */
import { codeLookup } from './code-lookup.ts';
import { dynamicMap } from './code-tables.ts';
import { dequantizeBlocks } from './dequantize-blocks.ts';
import { quantizeBlocks } from './quantize-blocks.ts';
import { NESTED_BLOCK, type QuantizedAbsmax } from './quantized-tensor.ts';

const lookup = codeLookup(dynamicMap);

/** The mean is taken over the whole tensor: summed in double, rounded once to float32. */
export function quantizeAbsmax(absmax: Float32Array): QuantizedAbsmax {
  const sum = absmax.reduce((total, value) => total + value, 0);
  const offset = absmax.length === 0 ? 0 : Math.fround(sum / absmax.length);
  const centred = absmax.map((value) => value - offset);
  const blocks = quantizeBlocks(centred, NESTED_BLOCK, lookup, 8);
  return { ...blocks, map: dynamicMap, offset, block: NESTED_BLOCK };
}

/** The absmax of blocks [start, end), all of them where no range is given. */
export function dequantizeAbsmax(
  absmax: Float32Array | QuantizedAbsmax,
  start = 0,
  end = absmax instanceof Float32Array ? absmax.length : absmax.codes.length,
): Float32Array {
  if (absmax instanceof Float32Array) return absmax.subarray(start, end);
  const { codes, map, offset, block } = absmax;
  const nested = absmax.absmax.subarray(Math.floor(start / block));
  const values = new Float32Array(end - start);
  dequantizeBlocks({ codes, bits: 8, table: map, block, absmax: nested, start, end }, values);
  for (let i = 0; i < values.length; i++) values[i]! += offset;
  return values;
}
