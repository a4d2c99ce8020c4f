/** Products in eight bits in ONNX: rows quantized by numbers of their own, whole-number products, rescaled. */
import { sizeOf } from '../../programs/program.ts';
import { uniform } from '../../programs/uniform.ts';
import type { OnnxGraph } from './graph.ts';
import { ELEMENT } from './protobuf.ts';
import type { OnnxRule } from './rules.ts';

const lastAxis = { attributes: { keepdims: 1 } };

/** Two passes that keep nothing: |x| would be written out first. */
export const absmax: OnnxRule<'absmax'> = (_, [x], graph) => {
  const axis = graph.integers([-1]);
  const highest = graph.node('ReduceMax', [x!, axis], lastAxis);
  const lowest = graph.node('ReduceMin', [x!, axis], lastAxis);
  return graph.node('Max', [highest, graph.node('Neg', [lowest])]);
};

/** The largest code of a row. */
const levels = (signed: boolean): number => (signed ? 127 : 255);

/** What one step of a code is worth, by row. */
const steps = (largest: string, signed: boolean, graph: OnnxGraph): string =>
  graph.node('Mul', [largest, graph.floats([1 / levels(signed)], [])]);

export const quantizeRows: OnnxRule<'quantizeRows'> = (node, [x, largest], graph) => {
  const { signed } = node.attributes;
  const parts = sizeOf(node.inputs[1]!.shape);
  const length = sizeOf(node.shape) / parts;
  const scale = graph.reshaped(steps(largest!, signed, graph), node.inputs[1]!.shape, [parts, 1]);
  const zero = graph.constant({
    dtype: 'u8',
    shape: [parts, 1],
    data: new Uint8Array(parts).fill(signed ? 128 : 0),
  });
  // A row as one block: the kernel that takes scales along the first axis needs 2.5 times as long.
  const rows = graph.reshaped(x!, node.shape, [parts, length]);
  const codes = graph.node('QuantizeLinear', [rows, scale, zero], {
    attributes: { axis: 1, block_size: length },
  });
  return graph.reshaped(codes, [parts, length], node.shape);
};

/** Signed bytes as unsigned ones, 128 more: computed when the model is loaded, where the weight is known then. */
function unsigned(weight: string, graph: OnnxGraph): string {
  const wide = graph.node('Cast', [weight], { attributes: { to: ELEMENT.i32 } });
  const moved = graph.node('Add', [
    wide,
    graph.constant({ dtype: 'i32', shape: [], data: Int32Array.of(128) }),
  ]);
  return graph.node('Cast', [moved], { attributes: { to: ELEMENT.u8 } });
}

export const matmulCodes: OnnxRule<'matmulCodes'> = (node, [codes, largest, weight, scale], graph) => {
  const { signed } = node.attributes;
  const [k, n] = node.inputs[2]!.shape as [number, number];
  const rows = sizeOf(node.shape) / n;
  const parts = node.inputs[1]!.shape.at(-1)!;
  const byte = (value: number) => graph.constant({ dtype: 'u8', shape: [], data: Uint8Array.of(value) });
  const zero = byte(signed ? 128 : 0);
  const { saturates = false } = graph.target;
  const right = saturates ? unsigned(weight!, graph) : weight!;
  const zeroOfWeight = saturates ? [byte(128)] : [];
  const integers = (left: string, columns: string, step: number) => {
    const operands = [left, columns, graph.floats([step], []), scale!, zero, ...zeroOfWeight];
    return graph.node('MatMulIntegerToFloat', operands, { domain: 'com.microsoft' });
  };
  const same = parts === 1 ? uniform(node.inputs[1]!) : undefined;
  // The engine's own factor: no pass over the result.
  if (same !== undefined) return integers(codes!, right, same / levels(signed));
  const scales = steps(largest!, signed, graph);
  const product = (left: string, columns: string, step: string) =>
    graph.node('Mul', [integers(left, columns, 1), step]);
  if (parts === 1) return product(codes!, right, scales);
  const length = k / parts;
  const cut = (name: string, axis: number, start: number, end: number) =>
    graph.node('Slice', [name, graph.integers([start]), graph.integers([end]), graph.integers([axis])]);
  const flatCodes = graph.reshaped(codes!, node.inputs[0]!.shape, [rows, parts, length]);
  const flatScales = graph.reshaped(scales, node.inputs[1]!.shape, [rows, parts]);
  const products = Array.from({ length: parts }, (_, part) =>
    product(
      graph.reshaped(cut(flatCodes, 1, part, part + 1), [rows, 1, length], [rows, length]),
      cut(right, 0, part * length, (part + 1) * length),
      cut(flatScales, 1, part, part + 1),
    ),
  );
  const total = products.reduce((sum, y) => graph.node('Add', [sum, y]));
  return graph.reshaped(total, [rows, n], node.shape);
};
