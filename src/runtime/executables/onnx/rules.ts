/** How every operation is said in ONNX (opset 21, com.microsoft where it has a faster kernel). */
import type { DType, OpName } from '../../programs/ops.ts';
import { type Node, sizeOf } from '../../programs/program.ts';
import { absmax, matmulCodes, quantizeRows } from './codes-rules.ts';
import { dequantize } from './dequantize-rule.ts';
import type { NodeOptions, OnnxGraph } from './graph.ts';
import { matmul } from './matmul-rule.ts';
import { ELEMENT } from './protobuf.ts';
import { scatterRows, zeros } from './scatter-rule.ts';

/** Appends what computes `node` from the values named `inputs` and returns the name of its value. */
export type OnnxRule<K extends OpName> = (
  node: Node<K>,
  inputs: readonly string[],
  graph: OnnxGraph,
) => string;

const plain =
  (operator: string, options?: NodeOptions) =>
  (_: Node, inputs: readonly string[], graph: OnnxGraph): string =>
    graph.node(operator, inputs, options);
const lastAxis = { attributes: { axis: -1 } };
const reduction =
  <K extends 'sum' | 'mean' | 'max'>(operator: string): OnnxRule<K> =>
  (node, [x], graph) => {
    const { axes, keepDims } = node.attributes;
    if (axes.length === 0) return x!;
    return graph.node(operator, [x!, graph.integers(axes)], { attributes: { keepdims: Number(keepDims) } });
  };

/** Sums of columns are a product with a row of ones, which takes half the time of ReduceSum and less. */
const sum: OnnxRule<'sum'> = (node, inputs, graph) => {
  const { shape } = node.inputs[0]!;
  const { axes } = node.attributes;
  const ofColumns = axes.length > 0 && axes.length < shape.length && axes.every((axis, i) => axis === i);
  if (!ofColumns || graph.target.sizes !== undefined)
    return reduction<'sum'>('ReduceSum')(node, inputs, graph);
  const columns = sizeOf(shape.slice(axes.length));
  const rows = sizeOf(shape) / columns;
  const total = graph.node('Gemm', [graph.ones(rows), graph.reshaped(inputs[0]!, shape, [rows, columns])]);
  return graph.reshaped(total, [1, columns], node.shape);
};
const same = (_: Node, [x]: readonly string[]): string => x!;
const elementType = (dtype: DType) => ({ attributes: { to: ELEMENT[dtype] } });
/** The index with an axis of one behind it: ONNX wants as many axes as the data has. */
const column = (index: Node, name: string, graph: OnnxGraph) =>
  graph.node('Reshape', [name, graph.integers([...index.shape, 1])]);
function firstElement({ shape }: Node, x: string, graph: OnnxGraph): string {
  const every = (n: number) => graph.integers(shape.map(() => n));
  return graph.node('Slice', [x, every(0), every(1)]);
}

const deviationKey = (x: string, epsilon: number, centered: boolean) => `${x} ${epsilon} ${centered}`;
const filled = (value: number, size: number, graph: OnnxGraph) =>
  graph.floats(new Array<number>(size).fill(value));

function normalize(inputs: readonly string[], epsilon: number, graph: OnnxGraph): string {
  const centered = inputs.length === 3;
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  const outputs = centered
    ? graph.nodeWithOutputs('LayerNormalization', inputs, 3, { attributes })
    : graph.nodeWithOutputs('SimplifiedLayerNormalization', inputs, 2, { attributes });
  graph.byproducts.set(deviationKey(inputs[0]!, epsilon, centered), outputs.at(-1)!);
  return outputs[0]!;
}

/** The rotation in plain operators: the angles of each token are looked up already, so the fast kernel needs a list of all tokens. */
function rotated(node: Node<'rotary'>, [x, cos, sin]: readonly string[], graph: OnnxGraph): string {
  const half = node.shape.at(-1)! / 2;
  const part = (from: number, to: number) =>
    graph.node('Slice', [x!, graph.integers([from]), graph.integers([to]), graph.integers([-1])]);
  const [first, second] = [part(0, half), part(half, 2 * half)];
  const angles = [cos!, sin!].map((name) => graph.node('Unsqueeze', [name, graph.integers([1])]));
  const times = (y: string, angle: string) => graph.node('Mul', [y, angle]);
  const turned = [
    graph.node('Sub', [times(first, angles[0]!), times(second, angles[1]!)]),
    graph.node('Add', [times(second, angles[0]!), times(first, angles[1]!)]),
  ];
  return graph.node('Concat', turned, lastAxis);
}

export const onnxRules: { readonly [K in OpName]: OnnxRule<K> } = {
  input: (node) => node.attributes.name,
  parameter: (node) => node.attributes.name,
  constant: (node, _, graph) => graph.constant(node.attributes.value),
  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  maximum: plain('Max'),
  minimum: plain('Min'),
  greater: plain('Greater'),
  greaterEqual: plain('GreaterOrEqual'),
  equal: plain('Equal'),
  where: plain('Where'),
  neg: plain('Neg'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  reciprocal: plain('Reciprocal'),
  tanh: plain('Tanh'),
  erf: plain('Erf'),
  sigmoid: plain('Sigmoid'),
  softplus: plain('Softplus'),
  cast: (node, [x], graph) => graph.node('Cast', [x!], elementType(node.attributes.to)),
  sum,
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  argmax: (_, [x], graph) =>
    graph.node(
      'Cast',
      [graph.node('ArgMax', [x!], { attributes: { axis: -1, keepdims: 0 } })],
      elementType('i32'),
    ),
  softmax: plain('Softmax', lastAxis),
  logSoftmax: plain('LogSoftmax', lastAxis),
  reshape: (node, [x], graph) => graph.node('Reshape', [x!, graph.integers(node.shape)]),
  transpose: (node, [x], graph) =>
    graph.node('Transpose', [x!], { attributes: { perm: node.attributes.permutation } }),
  expand: (node, [x], graph) => graph.node('Expand', [x!, graph.integers(node.shape)]),
  slice: (node, [x], graph) => {
    const { starts, ends } = node.attributes;
    const cut = starts.flatMap((start, i) => (start > 0 || ends[i]! < node.inputs[0]!.shape[i]! ? [i] : []));
    if (cut.length === 0) return x!;
    const list = (values: readonly number[]) => graph.integers(cut.map((i) => values[i]!));
    return graph.node('Slice', [x!, list(starts), list(ends), graph.integers(cut)]);
  },
  pad: (node, [x], graph) =>
    graph.node('Pad', [x!, graph.integers([...node.attributes.before, ...node.attributes.after])]),
  concat: (node, inputs, graph) =>
    graph.node('Concat', inputs, { attributes: { axis: node.attributes.axis } }),
  gatherRows: plain('Gather', { attributes: { axis: 0 } }),
  scatterRows,
  pick: (node, [x, index], graph) => {
    const at = column(node.inputs[1]!, index!, graph);
    return graph.node('Reshape', [
      graph.node('GatherElements', [x!, at], lastAxis),
      graph.integers(node.shape),
    ]);
  },
  place: (node, [index, values], graph) => {
    const [at, value] = [column(node.inputs[0]!, index!, graph), column(node.inputs[1]!, values!, graph)];
    return graph.node('ScatterElements', [zeros(node.dtype, node.shape, graph), at, value], lastAxis);
  },
  matmul,
  dequantize,
  absmax,
  quantizeRows,
  matmulCodes,
  layerNorm: (node, inputs, graph) => normalize(inputs, node.attributes.epsilon, graph),
  rmsNorm: (node, inputs, graph) => normalize(inputs, node.attributes.epsilon, graph),
  inverseDeviation: (node, [x], graph) => {
    const { epsilon, centered } = node.attributes;
    const width = node.inputs[0]!.shape.at(-1)!;
    const key = deviationKey(x!, epsilon, centered);
    if (!graph.byproducts.has(key)) {
      const weights = [filled(1, width, graph), ...(centered ? [filled(0, width, graph)] : [])];
      normalize([x!, ...weights], epsilon, graph);
    }
    return graph.byproducts.get(key)!;
  },
  // QuickGelu is x · sigmoid(alpha x): one pass, and no sigmoid to keep for the gradient.
  silu: plain('QuickGelu', { domain: 'com.microsoft', attributes: { alpha: { float: 1 } } }),
  gelu: (node, [x], graph) => {
    const approximate = node.attributes.approximation === 'erf' ? 'none' : 'tanh';
    return graph.node('Gelu', [x!], { attributes: { approximate } });
  },
  rotateHalf: (node, [x], graph) => {
    const half = node.shape.at(-1)! / 2;
    const part = (from: number, to: number) =>
      graph.node('Slice', [x!, graph.integers([from]), graph.integers([to]), graph.integers([-1])]);
    return graph.node('Concat', [graph.node('Neg', [part(half, 2 * half)]), part(0, half)], lastAxis);
  },
  rotary: (node, [x, cos, sin], graph) => {
    if (graph.target.sizes !== undefined) return rotated(node, [x!, cos!, sin!], graph);
    const [batch, , tokens] = node.shape as [number, number, number];
    const [rows, , half] = node.inputs[1]!.shape as [number, number, number];
    const table = (angles: string) => graph.node('Reshape', [angles, graph.integers([rows * tokens, half])]);
    // One number: tokens count up from there. Otherwise the row of the table for every token.
    const every = Array.from({ length: batch * tokens }, (_, i) => i);
    const positions = rows === 1 ? graph.integers([0]) : graph.integers(every, [batch, tokens]);
    return graph.node('RotaryEmbedding', [x!, positions, table(cos!), table(sin!)], {
      domain: 'com.microsoft',
    });
  },
  attachGradient: same,
  stopGradient: same,
  blockEdge: same,
  after: (node, [x, y], graph) => {
    // Rows taken in their order, by an index that hangs on y: either branch is the same list, which the engine does not see.
    const rows = node.shape[0]!;
    const order = graph.integers(Array.from({ length: rows }, (_, i) => i));
    const first = sizeOf(node.inputs[1]!.shape) === 1 ? y! : firstElement(node.inputs[1]!, y!, graph);
    const flag = graph.node(
      'Cast',
      [graph.node('Reshape', [first, graph.integers([1])])],
      elementType('bool'),
    );
    const index = graph.node('Where', [flag, order, order]);
    return graph.node('Gather', [x!, index], { attributes: { axis: 0 } });
  },
};
