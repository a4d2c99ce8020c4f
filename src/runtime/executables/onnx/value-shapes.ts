/** Shapes and number formats of every value of an ONNX model that `lowerToOnnx` wrote. */
import type { DType, Shape } from '../../programs/ops.ts';
import { sizeOf } from '../../programs/program.ts';
import { ELEMENT, type OnnxInitializer, type OnnxModel, type OnnxNode } from './protobuf.ts';

export interface ValueType {
  readonly dtype: DType | 'i64';
  readonly shape: Shape;
}

export const BYTES_OF: { readonly [T in ValueType['dtype']]: number } = {
  f32: 4,
  i32: 4,
  i64: 8,
  bool: 1,
  u8: 1,
  i8: 1,
};

export const bytesOfValue = ({ dtype, shape }: ValueType): number => BYTES_OF[dtype] * sizeOf(shape);

/** What a rule sees: the types of a node's inputs, and the numbers of those that are lists of integers. */
interface Operands {
  readonly node: OnnxNode;
  readonly types: readonly ValueType[];
  /** Errors: Error where the input is no list of integers written into the model. */
  list(input: number): readonly number[];
}

type TypeRule = (operands: Operands) => readonly ValueType[];

/** By name. Errors: Error for an operator that is not in the table. */
export function typesOfValues({ nodes, inputs, initializers }: OnnxModel): Map<string, ValueType> {
  const written = new Map(initializers.map((one) => [one.name, one]));
  const types = new Map<string, ValueType>([...inputs, ...initializers].map((one) => [one.name, one]));
  for (const node of nodes) {
    const rule = typeRules[node.operator];
    if (rule === undefined) throw new Error(`the shape of ${node.operator} is not known to the planner`);
    const results = rule({
      node,
      types: node.inputs.map((name) => types.get(name)!),
      list: (input) => integersIn(written.get(node.inputs[input]!), node),
    });
    node.outputs.forEach((name, i) => {
      types.set(name, results[i]!);
    });
  }
  return types;
}

/** A list of 64-bit numbers. Errors: Error where it is not written into the model. */
export function integersIn(
  initializer: OnnxInitializer | undefined,
  { operator }: OnnxNode,
): readonly number[] {
  const bytes = initializer && 'bytes' in initializer.data ? initializer.data.bytes : undefined;
  if (bytes === undefined) throw new Error(`${operator} reads a shape that is computed`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 8 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
}

const DTYPE_OF = new Map(Object.entries(ELEMENT).map(([dtype, code]) => [code, dtype as ValueType['dtype']]));

const attribute = ({ attributes }: OnnxNode, name: string, otherwise: number): number =>
  Number(attributes[name] ?? otherwise);
const like = (x: ValueType, shape: Shape): readonly ValueType[] => [{ dtype: x.dtype, shape }];
const same: TypeRule = ({ types: [x] }) => [x!];
const axisOf = (axis: number, { shape }: ValueType) => (axis < 0 ? axis + shape.length : axis);

/** Numpy's. */
function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce((size, shape) => {
      const n = shape[i - rank + shape.length] ?? 1;
      return n === 1 ? size : n;
    }, 1),
  );
}
const elementwise: TypeRule = ({ types }) => like(types[0]!, broadcast(types.map(({ shape }) => shape)));
const comparison: TypeRule = (operands) => [{ dtype: 'bool', shape: elementwise(operands)[0]!.shape }];

const reduction: TypeRule = ({ node, types: [x], list }) => {
  const axes = list(1).map((axis) => axisOf(axis, x!));
  const kept = attribute(node, 'keepdims', 1) === 1;
  return like(
    x!,
    x!.shape.flatMap((n, i) => (axes.includes(i) ? (kept ? [1] : []) : [n])),
  );
};

const product: TypeRule = ({ node, types: [a, b] }) => {
  const of = (transposed: string, { shape }: ValueType) =>
    attribute(node, transposed, 0) === 1 ? [shape.at(-1)!, shape.at(-2)!] : [shape.at(-2)!, shape.at(-1)!];
  const leading = broadcast([a!.shape.slice(0, -2), b!.shape.slice(0, -2)]);
  return like(a!, [...leading, of('transA', a!)[0]!, of('transB', b!)[1]!]);
};

/** (…, K) times N columns. */
const codedProduct: TypeRule = ({ node, types: [x] }) =>
  like(x!, [...x!.shape.slice(0, -1), attribute(node, 'N', 1)]);

const norm: TypeRule = ({ node, types: [x] }) =>
  node.outputs.map((_, i) => (i === 0 ? x! : { dtype: 'f32', shape: [...x!.shape.slice(0, -1), 1] }));

const typeRules: Readonly<Record<string, TypeRule>> = {
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'].map((operator) => [operator, elementwise]),
  ),
  ...Object.fromEntries(
    ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'].map((name) => [name, comparison]),
  ),
  ...Object.fromEntries(
    [
      ...['Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Tanh', 'Erf', 'Sigmoid', 'Softplus'],
      ...['Softmax', 'LogSoftmax', 'QuickGelu', 'Gelu', 'RotaryEmbedding', 'Identity', 'ScatterElements'],
    ].map((operator) => [operator, same]),
  ),
  ...Object.fromEntries(
    ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin'].map((name) => [name, reduction]),
  ),
  Where: ({ types: [condition, a, b] }) => like(a!, broadcast([condition!.shape, a!.shape, b!.shape])),
  Cast: ({ node, types: [x] }) => [{ dtype: DTYPE_OF.get(attribute(node, 'to', 1))!, shape: x!.shape }],
  ArgMax: ({ types: [x] }) => [{ dtype: 'i64', shape: x!.shape.slice(0, -1) }],
  Reshape: ({ types: [x], list }) => {
    const asked = list(1);
    const known = asked.reduce((n, size) => (size === -1 ? n : n * size), 1);
    return like(
      x!,
      asked.map((size) => (size === -1 ? sizeOf(x!.shape) / known : size)),
    );
  },
  Transpose: ({ node, types: [x] }) =>
    like(
      x!,
      (node.attributes.perm as readonly number[]).map((axis) => x!.shape[axis]!),
    ),
  Expand: ({ types: [x], list }) => like(x!, broadcast([x!.shape, list(1)])),
  Slice: ({ node, types: [x], list }) => {
    const [starts, ends] = [list(1), list(2)];
    const axes = node.inputs.length > 3 ? list(3).map((axis) => axisOf(axis, x!)) : starts.map((_, i) => i);
    return like(
      x!,
      x!.shape.map((n, i) => {
        const at = axes.indexOf(i);
        return at < 0 ? n : Math.min(n, ends[at]!) - starts[at]!;
      }),
    );
  },
  Pad: ({ types: [x], list }) => {
    const around = list(1);
    return like(
      x!,
      x!.shape.map((n, i) => n + around[i]! + around[i + x!.shape.length]!),
    );
  },
  Concat: ({ node, types }) => {
    const axis = axisOf(attribute(node, 'axis', 0), types[0]!);
    const length = types.reduce((n, { shape }) => n + shape[axis]!, 0);
    return like(
      types[0]!,
      types[0]!.shape.map((n, i) => (i === axis ? length : n)),
    );
  },
  Gather: ({ types: [x, index] }) => like(x!, [...index!.shape, ...x!.shape.slice(1)]),
  GatherElements: ({ types: [x, index] }) => like(x!, index!.shape),
  Gemm: product,
  MatMul: product,
  FusedMatMul: product,
  MatMulBnb4: codedProduct,
  MatMulNBits: codedProduct,
  MatMulIntegerToFloat: (operands) => [{ dtype: 'f32', shape: product(operands)[0]!.shape }],
  QuantizeLinear: ({ types: [x, , zero] }) => like(zero!, x!.shape),
  LayerNormalization: norm,
  SimplifiedLayerNormalization: norm,
};
