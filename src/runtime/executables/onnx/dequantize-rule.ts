/** Quantized weights in ONNX: looked up code by code where a product cannot take them as they are. */

import { sizeOf } from '../../programs/program.ts';
import { tableOf } from '../../quantization/code-tables.ts';
import { bitsOfCode } from '../../quantization/quantized-tensor.ts';
import type { OnnxGraph, QuantizedValue } from './graph.ts';
import type { OnnxRule } from './rules.ts';

/** Writes nothing yet: each reader takes the codes, or looks the numbers up for itself, so that they live shortly. */
export const dequantize: OnnxRule<'dequantize'> = (node, [codes, absmax], graph) => {
  const name = graph.fresh();
  graph.quantized.set(name, { ...node.attributes, codes: codes!, absmax: absmax! });
  return name;
};

/** table[code] · absmax of the block, of the weight's shape. */
export function dequantized(
  { codes, absmax, format, block, shape }: QuantizedValue,
  graph: OnnxGraph,
): string {
  const count = sizeOf(shape);
  const values = flatValues(codes, format, count, graph);
  const blocks = Math.ceil(count / block);
  const column = graph.node('Reshape', [absmax, graph.integers([blocks, 1])]);
  if (count % block === 0) {
    const rows = graph.node('Reshape', [values, graph.integers([blocks, block])]);
    return graph.node('Reshape', [graph.node('Mul', [rows, column]), graph.integers(shape)]);
  }
  const wide = graph.node('Expand', [column, graph.integers([blocks, block])]);
  const scale = firstOf(graph.node('Reshape', [wide, graph.integers([-1])]), count, graph);
  return graph.node('Reshape', [graph.node('Mul', [values, scale]), graph.integers(shape)]);
}

/** table[code] of every element: (count). A byte of two codes is looked up at once, in a table of pairs. */
function flatValues(
  codes: string,
  format: QuantizedValue['format'],
  count: number,
  graph: OnnxGraph,
): string {
  const index = graph.node('Cast', [codes], { attributes: { to: INT32 } });
  const table = tableOf(format);
  if (bitsOfCode(format) === 8) return graph.node('Gather', [graph.floats([...table]), index]);
  const pairs = Array.from({ length: 256 }, (_, byte) => [table[byte >> 4]!, table[byte & 15]!]).flat();
  const looked = graph.node('Gather', [graph.floats(pairs, [256, 2]), index]);
  const flat = graph.node('Reshape', [looked, graph.integers([-1])]);
  return count % 2 === 0 ? flat : firstOf(flat, count, graph);
}

const INT32 = 6;
const firstOf = (flat: string, count: number, graph: OnnxGraph): string =>
  graph.node('Slice', [flat, graph.integers([0]), graph.integers([count])]);
