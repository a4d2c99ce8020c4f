/** Frozen weights that stay quantized: a program reads their codes instead of them. */
import { add, dequantize, parameter } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import type { Shape, Tensor } from '../programs/ops.ts';
import { type Node, type Program, sizeOf } from '../programs/program.ts';
import {
  codeBytes,
  DEFAULT_BLOCK,
  NESTED_BLOCK,
  type QuantizationOptions,
  type QuantizedTensor,
} from '../quantization/quantized-tensor.ts';

/** Names of the parts of a quantized weight, as parameters of a program. */
const partsOf = (weight: string) => ({
  codes: `${weight}.codes`,
  absmax: `${weight}.absmax`,
  nestedCodes: `${weight}.absmax.codes`,
  nestedAbsmax: `${weight}.absmax.absmax`,
  offset: `${weight}.absmax.offset`,
});

/**
 * W becomes `dequantize` of its codes wherever it is read, in the forward and in the backward direction. Weights that
 * `formats` does not name stay as they are; a program that reads none of them comes back unchanged.
 * @see https://arxiv.org/abs/2305.14314 section 3
 */
export function quantize(program: Program, formats: ReadonlyMap<string, QuantizationOptions>): Program {
  const made = new Map<string, Node>();
  return mapProgram(program, (node) => {
    if (node.op !== 'parameter') return node;
    const { name } = node.attributes;
    const options = formats.get(name);
    if (options === undefined) return node;
    const value = made.get(name) ?? quantizedWeight(name, node.shape, options);
    made.set(name, value);
    return value;
  });
}

function quantizedWeight(name: string, shape: Shape, options: QuantizationOptions): Node {
  const { format, block = DEFAULT_BLOCK, doubleQuantization = false } = options;
  const count = sizeOf(shape);
  const blocks = Math.ceil(count / block);
  const parts = partsOf(name);
  const codes = parameter(parts.codes, [codeBytes(format, count)], 'u8');
  const absmax = doubleQuantization ? nestedAbsmax(name, blocks) : parameter(parts.absmax, [blocks]);
  return dequantize(codes, absmax, { format, block, shape });
}

function nestedAbsmax(name: string, blocks: number): Node {
  const parts = partsOf(name);
  const centred = dequantize(
    parameter(parts.nestedCodes, [blocks], 'u8'),
    parameter(parts.nestedAbsmax, [Math.ceil(blocks / NESTED_BLOCK)]),
    { format: 'dynamic', block: NESTED_BLOCK, shape: [blocks] },
  );
  return add(centred, parameter(parts.offset, []));
}

/** What a program rewritten by `quantize` reads of one weight; arrays are shared, not copied. */
export function quantizedParameters(weight: string, value: QuantizedTensor): Map<string, Tensor> {
  const parts = partsOf(weight);
  const bytes = (data: Uint8Array): Tensor => ({ dtype: 'u8', shape: [data.length], data });
  const floats = (data: Float32Array): Tensor => ({ dtype: 'f32', shape: [data.length], data });
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
