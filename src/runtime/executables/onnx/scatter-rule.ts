/** Sums of rows by index in ONNX: a product with a table of zeros and ones where that is short, else one row after the other. */
import type { DType, Shape } from '../../programs/ops.ts';
import { sizeOf } from '../../programs/program.ts';
import type { OnnxGraph } from './graph.ts';
import { ELEMENT } from './protobuf.ts';
import type { OnnxRule } from './rules.ts';

/**
 * Sums up to which the product is quicker. ScatterElements takes one element after the other on one thread: 3.2 ns each,
 * in which a product adds some 300 on one core, twice as many on two.
 */
const SHORT = 256;

export const scatterRows: OnnxRule<'scatterRows'> = (node, [index, rows], graph) => {
  const { count } = node.attributes;
  const given = sizeOf(node.inputs[0]!.shape);
  const width = sizeOf(node.shape.slice(1));
  const flat = (name: string, size: number) => graph.node('Reshape', [name, graph.integers([given, size])]);
  const sum = count <= SHORT && node.dtype === 'f32' ? sumByProduct : sumOneByOne;
  const sums = sum(flat(index!, 1), flat(rows!, width), { given, width, count, dtype: node.dtype }, graph);
  return graph.node('Reshape', [sums, graph.integers(node.shape)]);
};

interface Sizes {
  readonly given: number;
  readonly width: number;
  readonly count: number;
  readonly dtype: DType;
}

/** (given, count), 1 where the row goes, turned and times the rows. */
function sumByProduct(index: string, rows: string, { count }: Sizes, graph: OnnxGraph): string {
  const numbers = Int32Array.from({ length: count }, (_, i) => i);
  const places = graph.constant({ dtype: 'i32', shape: [1, count], data: numbers });
  const hits = graph.node('Equal', [index, places]);
  const ones = graph.node('Cast', [hits], { attributes: { to: ELEMENT.f32 } });
  return graph.node('Gemm', [ones, rows], { attributes: { transA: 1 } });
}

/** Not ScatterND, which adds from several threads at once and loses sums of rows with one index (onnxruntime 1.30). */
function sumOneByOne(index: string, rows: string, sizes: Sizes, graph: OnnxGraph): string {
  const { given, width, count, dtype } = sizes;
  const at = graph.node('Expand', [index, graph.integers([given, width])]);
  const attributes = { axis: 0, reduction: 'add' };
  return graph.node('ScatterElements', [zeros(dtype, [count, width], graph), at, rows], { attributes });
}

export function zeros(dtype: DType, shape: Shape, graph: OnnxGraph): string {
  const data = dtype === 'f32' ? new Float32Array(1) : new Int32Array(1);
  return graph.node('Expand', [graph.constant({ dtype, shape: [], data }), graph.integers(shape)]);
}
