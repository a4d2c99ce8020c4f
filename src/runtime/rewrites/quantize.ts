/** Frozen weights that stay quantized: a program reads their codes instead of them. */
import { add, dequantize, parameter } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import type { Shape } from '../programs/ops.ts';
import { type Node, type Program, sizeOf } from '../programs/program.ts';
import { partsOf } from '../quantization/quantized-parameters.ts';
import {
  codeBytes,
  DEFAULT_BLOCK,
  NESTED_BLOCK,
  type QuantizationOptions,
} from '../quantization/quantized-tensor.ts';

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
