/** How programs are written: one function an operation, shapes checked as they are applied. */
import type { DType, OpAttributes, OpName, Shape, Tensor } from './ops.ts';
import type { Node, Program } from './program.ts';
import { inferShape } from './shapes.ts';

/** Any operation by name; rewrites and gradients use it to rebuild nodes. Errors: ShapeError. */
export function makeNode<K extends OpName>(
  op: K,
  inputs: readonly Node[],
  attributes: OpAttributes[K],
): Node<K> {
  return { op, inputs, attributes, ...inferShape(op, inputs, attributes) } as Node<K>;
}

export function input(name: string, dtype: DType, shape: Shape): Node<'input'> {
  return { op: 'input', inputs: [], attributes: { name }, shape, dtype };
}
export function parameter(name: string, shape: Shape, dtype: DType = 'f32'): Node<'parameter'> {
  return { op: 'parameter', inputs: [], attributes: { name }, shape, dtype };
}
export function constant(value: Tensor): Node<'constant'> {
  return makeNode('constant', [], { value });
}
export function scalar(value: number): Node<'constant'> {
  return constant({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
}
export function integers(values: readonly number[], shape: Shape = [values.length]): Node<'constant'> {
  return constant({ dtype: 'i32', shape, data: Int32Array.from(values) });
}

type Operand = Node | number;
const lift = (x: Operand): Node => (typeof x === 'number' ? scalar(x) : x);
const elementwise =
  <K extends 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'greater' | 'greaterEqual' | 'equal'>(
    op: K,
  ) =>
  (a: Operand, b: Operand): Node =>
    makeNode(op, [lift(a), lift(b)], {} as OpAttributes[K]) as Node;
const unary =
  <
    K extends
      | 'neg'
      | 'exp'
      | 'log'
      | 'sqrt'
      | 'reciprocal'
      | 'tanh'
      | 'erf'
      | 'sigmoid'
      | 'softplus'
      | 'silu'
      | 'softmax'
      | 'logSoftmax'
      | 'rotateHalf'
      | 'argmax'
      | 'stopGradient'
      | 'absmax',
  >(
    op: K,
  ) =>
  (x: Node): Node =>
    makeNode(op, [x], {} as OpAttributes[K]) as Node;

export const add = elementwise('add');
export const sub = elementwise('sub');
export const mul = elementwise('mul');
export const div = elementwise('div');
export const maximum = elementwise('maximum');
export const minimum = elementwise('minimum');
export const greater = elementwise('greater');
export const greaterEqual = elementwise('greaterEqual');
export const equal = elementwise('equal');
export const neg = unary('neg');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const reciprocal = unary('reciprocal');
export const tanh = unary('tanh');
export const erf = unary('erf');
export const sigmoid = unary('sigmoid');
export const softplus = unary('softplus');
export const silu = unary('silu');
export const softmax = unary('softmax');
export const logSoftmax = unary('logSoftmax');
export const rotateHalf = unary('rotateHalf');
export const argmax = unary('argmax');
export const stopGradient = unary('stopGradient');

export const where = (condition: Node, a: Operand, b: Operand): Node =>
  makeNode('where', [condition, lift(a), lift(b)], {});
export const cast = (x: Node, to: DType): Node => makeNode('cast', [x], { to });
export const gelu = (x: Node, approximation: 'erf' | 'tanh'): Node =>
  makeNode('gelu', [x], { approximation });

const everyAxis = (x: Node) => x.shape.map((_, i) => i);
/** Over all axes where none is named; negative axes count from the end. */
const reduction =
  (op: 'sum' | 'mean' | 'max') =>
  (x: Node, axes: readonly number[] = everyAxis(x), keepDims = false): Node =>
    makeNode(op, [x], { axes: axes.map((a) => (a < 0 ? a + x.shape.length : a)), keepDims });
export const sum = reduction('sum');
export const mean = reduction('mean');
export const max = reduction('max');

export const reshape = (x: Node, shape: Shape): Node => makeNode('reshape', [x], { shape });
export const transpose = (x: Node, permutation: readonly number[]): Node =>
  makeNode('transpose', [x], { permutation });
export const expand = (x: Node, shape: Shape): Node => makeNode('expand', [x], { shape });
export const slice = (x: Node, starts: readonly number[], ends: readonly number[]): Node =>
  makeNode('slice', [x], { starts, ends });
export const pad = (x: Node, before: readonly number[], after: readonly number[]): Node =>
  makeNode('pad', [x], { before, after });
export const concat = (values: readonly Node[], axis: number): Node => makeNode('concat', values, { axis });

/** A part of one axis; the others whole. */
export function sliceAxis(x: Node, axis: number, start: number, end: number): Node {
  const at = axis < 0 ? axis + x.shape.length : axis;
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    x.shape.map((n, i) => (i === at ? end : n)),
  );
}

export const gatherRows = (table: Node, index: Node): Node => makeNode('gatherRows', [table, index], {});
export const scatterRows = (index: Node, rows: Node, count: number): Node =>
  makeNode('scatterRows', [index, rows], { count });
export const pick = (x: Node, index: Node): Node => makeNode('pick', [x, index], {});
export const place = (index: Node, values: Node, size: number): Node =>
  makeNode('place', [index, values], { size });

export function matmul(
  a: Node,
  b: Node,
  { transposeA = false, transposeB = false, scale = 1 }: Partial<OpAttributes['matmul']> = {},
): Node {
  return makeNode('matmul', [a, b], { transposeA, transposeB, scale });
}

export const dequantize = (codes: Node, absmax: Node, attributes: OpAttributes['dequantize']): Node =>
  makeNode('dequantize', [codes, absmax], attributes);

export const absmax = unary('absmax');
export const quantizeRows = (x: Node, largest: Node, signed: boolean): Node =>
  makeNode('quantizeRows', [x, largest], { signed });
export const matmulCodes = (
  [codes, largest, weight, scale]: readonly [Node, Node, Node, Node],
  signed: boolean,
): Node => makeNode('matmulCodes', [codes, largest, weight, scale], { signed });

export const layerNorm = (x: Node, weight: Node, bias: Node, epsilon: number): Node =>
  makeNode('layerNorm', [x, weight, bias], { epsilon });
export const rmsNorm = (x: Node, weight: Node, epsilon: number): Node =>
  makeNode('rmsNorm', [x, weight], { epsilon });
export const rotary = (x: Node, cos: Node, sin: Node): Node => makeNode('rotary', [x, cos, sin], {});
export const inverseDeviation = (x: Node, epsilon: number, centered: boolean): Node =>
  makeNode('inverseDeviation', [x], { epsilon, centered });

export const blockEdge = (x: Node, edge: number, gradient = false): Node =>
  makeNode('blockEdge', [x], { edge, gradient });
/** x, once y is there. y: f32 of any shape, whose value does not matter. */
export const after = (x: Node, y: Node): Node => makeNode('after', [x, y], {});

/** Declares gradients computed in the forward direction: `pairs` are [value, its gradient]. */
export function attachGradient(value: Node, pairs: readonly (readonly [Node, Node])[]): Node {
  const inputs = [value, ...pairs.map((p) => p[0]), ...pairs.map((p) => p[1])];
  return makeNode('attachGradient', inputs, { count: pairs.length });
}

export function program(name: string, outputs: Readonly<Record<string, Node>>): Program {
  return { name, outputs: new Map(Object.entries(outputs)) };
}
