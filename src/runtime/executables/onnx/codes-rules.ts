/** Products in eight bits in ONNX: rows quantized by numbers of their own, whole-number products, rescaled. */
import { sizeOf } from '../../programs/program.ts';
import type { OnnxGraph } from './graph.ts';
import type { OnnxRule } from './rules.ts';

const lastAxis = { attributes: { keepdims: 1 } };

/** Two passes that keep nothing: |x| would be written out first. */
export const absmax: OnnxRule<'absmax'> = (_, [x], graph) => {
  const axis = graph.integers([-1]);
  const highest = graph.node('ReduceMax', [x!, axis], lastAxis);
  const lowest = graph.node('ReduceMin', [x!, axis], lastAxis);
  return graph.node('Max', [highest, graph.node('Neg', [lowest])]);
};

/** What one step of a code is worth, by row. */
const steps = (largest: string, signed: boolean, graph: OnnxGraph): string =>
  graph.node('Mul', [largest, graph.floats([1 / (signed ? 127 : 255)], [])]);

export const quantizeRows: OnnxRule<'quantizeRows'> = (node, [x, largest], graph) => {
  const { signed } = node.attributes;
  const width = node.shape.at(-1)!;
  const rows = sizeOf(node.shape) / width;
  const reshaped = (name: string, shape: readonly number[]) =>
    graph.node('Reshape', [name, graph.integers(shape)]);
  const scale = reshaped(steps(largest!, signed, graph), [rows]);
  const zero = graph.constant({
    dtype: 'u8',
    shape: [rows],
    data: new Uint8Array(rows).fill(signed ? 128 : 0),
  });
  const flat = node.shape.length === 2 ? x! : reshaped(x!, [rows, width]);
  const codes = graph.node('QuantizeLinear', [flat, scale, zero], { attributes: { axis: 0 } });
  return node.shape.length === 2 ? codes : reshaped(codes, node.shape);
};

export const matmulCodes: OnnxRule<'matmulCodes'> = (node, [codes, largest, weight, scale], graph) => {
  const { signed } = node.attributes;
  const zero = graph.constant({ dtype: 'u8', shape: [], data: Uint8Array.of(signed ? 128 : 0) });
  const one = graph.floats([1], []);
  const product = graph.node('MatMulIntegerToFloat', [codes!, weight!, one, scale!, zero], {
    domain: 'com.microsoft',
  });
  return graph.node('Mul', [product, steps(largest!, signed, graph)]);
};
