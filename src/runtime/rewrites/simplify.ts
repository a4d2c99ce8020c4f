/** Local identities: what an operation and its operand do together is done by less. */
import { concat, makeNode, matmul, mul, pad, reshape, sliceAxis, transpose } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import type { OpName, Shape } from '../programs/ops.ts';
import { type Node, sizeOf } from '../programs/program.ts';
import { broadcastShapes } from '../programs/shapes.ts';
import { uniform } from '../programs/uniform.ts';
import type { Rewrite } from './rewrite.ts';

/** A cheaper node of the same value, shape and type, or undefined. */
type Identity<K extends OpName> = (node: Node<K>) => Node | undefined;

const sameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((n, i) => n === b[i]);

/** Without the stretching that an element-by-element operation does anyway, where the other operand keeps the shape. */
function unexpanded(node: Node<'add' | 'sub' | 'mul' | 'div'>): Node | undefined {
  for (const [i, x] of node.inputs.entries()) {
    if (x.op !== 'expand') continue;
    const small = x.inputs[0]!;
    const inputs = node.inputs.map((y, j) => (i === j ? small : y));
    const shape = broadcastShapes(inputs[0]!.shape, inputs[1]!.shape);
    if (sameShape(shape, node.shape)) return makeNode(node.op, inputs, {}) as Node;
  }
  return undefined;
}

/** The other operand of x∘c where c is the operation's neutral number and does not stretch x. */
function neutral(node: Node, number: number, sides: readonly number[]): Node | undefined {
  const side = sides.find((i) => uniform(node.inputs[i]!) === number);
  const other = side === undefined ? undefined : node.inputs[1 - side]!;
  return other !== undefined && sameShape(other.shape, node.shape) ? other : undefined;
}

/** c · (s · a b) = (c s) · a b: the product scales for free. */
function scaledProduct(node: Node<'mul'>): Node | undefined {
  for (const [i, x] of node.inputs.entries()) {
    const number = uniform(x);
    const product = node.inputs[1 - i]!;
    if (number === undefined || product.op !== 'matmul' || !sameShape(product.shape, node.shape)) continue;
    const { scale, ...flags } = product.attributes;
    return matmul(product.inputs[0]!, product.inputs[1]!, { ...flags, scale: scale * number });
  }
  return undefined;
}

/** c · (d · x) = (c d) · x */
function scaledTwice(node: Node<'mul'>): Node | undefined {
  for (const [i, x] of node.inputs.entries()) {
    const number = uniform(x);
    const inner = node.inputs[1 - i]!;
    if (number === undefined || sizeOf(x.shape) !== 1 || inner.op !== 'mul' || node.dtype !== 'f32') continue;
    for (const [j, y] of inner.inputs.entries()) {
      const factor = uniform(y);
      const value = inner.inputs[1 - j]!;
      if (factor === undefined || sizeOf(y.shape) !== 1 || !sameShape(value.shape, node.shape)) continue;
      return mul(value, number * factor);
    }
  }
  return undefined;
}

/** Transposes of the last two axes are taken by the product's flags. */
function productOfTransposed(node: Node<'matmul'>): Node | undefined {
  const swapsLastTwo = (x: Node): boolean => {
    if (x.op !== 'transpose') return false;
    const { permutation } = x.attributes;
    const n = permutation.length;
    return permutation.every((from, to) => from === (to < n - 2 ? to : 2 * n - 3 - to));
  };
  const [a, b] = node.inputs as readonly [Node, Node];
  const [swapA, swapB] = [swapsLastTwo(a), swapsLastTwo(b)];
  if (!swapA && !swapB) return undefined;
  const { transposeA, transposeB, scale } = node.attributes;
  return matmul(swapA ? a.inputs[0]! : a, swapB ? b.inputs[0]! : b, {
    transposeA: transposeA !== swapA,
    transposeB: transposeB !== swapB,
    scale,
  });
}

/** Zeros around two neighbours, summed: the neighbours joined, with zeros around both (gradients of slices). */
function joinedPads(node: Node<'add'>): Node | undefined {
  const [a, b] = node.inputs as readonly [Node, Node];
  if (a.op !== 'pad' || b.op !== 'pad') return undefined;
  const [x, y] = [a.inputs[0]!, b.inputs[0]!];
  if (!sameShape(a.shape, b.shape)) return undefined;
  const axis = a.shape.findIndex((n, i) => x.shape[i] !== n || y.shape[i] !== n);
  const alone = a.shape.every((n, i) => i === axis || (x.shape[i] === n && y.shape[i] === n));
  if (axis === -1 || !alone) return undefined;
  const [startA, startB] = [a.attributes.before[axis]!, b.attributes.before[axis]!];
  const [first, second, start] = startA < startB ? [x, y, startA] : [y, x, startB];
  if (start + first.shape[axis]! !== Math.max(startA, startB)) return undefined;
  const around = (n: number) => a.shape.map((_, i) => (i === axis ? n : 0));
  const both = concat([first, second], axis);
  return pad(both, around(start), around(a.shape[axis]! - start - both.shape[axis]!));
}

/** concat(concat(a, b), c) = concat(a, b, c) */
function flatConcat(node: Node<'concat'>): Node | undefined {
  const inner = node.inputs.findIndex((x) => x.op === 'concat' && x.attributes.axis === node.attributes.axis);
  if (inner === -1) return node.inputs.length === 1 ? node.inputs[0]! : undefined;
  return concat(node.inputs.toSpliced(inner, 1, ...node.inputs[inner]!.inputs), node.attributes.axis);
}

function reshaped(node: Node<'reshape'>): Node | undefined {
  const x = node.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  return x.op === 'reshape' ? reshape(x.inputs[0]!, node.shape) : undefined;
}

function transposed(node: Node<'transpose'>): Node | undefined {
  const x = node.inputs[0]!;
  const { permutation } = node.attributes;
  if (permutation.every((axis, i) => axis === i)) return x;
  if (x.op === 'transpose')
    return transpose(
      x.inputs[0]!,
      permutation.map((i) => x.attributes.permutation[i]!),
    );
  // Only axes of one move: the elements stay where they are.
  const moving = permutation.filter((axis) => x.shape[axis] !== 1);
  return moving.every((axis, i) => i === 0 || moving[i - 1]! < axis) ? reshape(x, node.shape) : undefined;
}

/** Whether an index is first, first + 1, …: what it takes lies together. */
function counts(index: Node): boolean {
  if (index.op !== 'constant') return false;
  const { data } = index.attributes.value;
  return data.length > 0 && data.every((at, i) => at === data[0]! + i);
}

/** Rows one after the other are a part of the table. */
function neighbours(node: Node<'gatherRows'>): Node | undefined {
  const [table, index] = node.inputs as readonly [Node, Node];
  if (!counts(index)) return undefined;
  const first = (index as Node<'constant'>).attributes.value.data[0]!;
  return reshape(sliceAxis(table, 0, first, first + sizeOf(index.shape)), node.shape);
}

/** Rows that go one after the other stay together, with zeros around them. */
function scatteredTogether(node: Node<'scatterRows'>): Node | undefined {
  const [index, rows] = node.inputs as readonly [Node, Node];
  if (!counts(index)) return undefined;
  const first = (index as Node<'constant'>).attributes.value.data[0]!;
  const count = sizeOf(index.shape);
  const at = (n: number) => node.shape.map((_, i) => (i === 0 ? n : 0));
  return pad(reshape(rows, [count, ...node.shape.slice(1)]), at(first), at(node.shape[0]! - first - count));
}

/** Not complete on purpose: most operations have no identity. */
const identities: { readonly [K in OpName]?: Identity<K> } = {
  add: (node) => neutral(node, 0, [0, 1]) ?? unexpanded(node) ?? joinedPads(node),
  sub: (node) => neutral(node, 0, [1]) ?? unexpanded(node),
  mul: (node) => neutral(node, 1, [0, 1]) ?? scaledProduct(node) ?? scaledTwice(node) ?? unexpanded(node),
  div: (node) => neutral(node, 1, [1]) ?? unexpanded(node),
  neg: (node) => {
    const x = node.inputs[0]!;
    if (x.op === 'neg') return x.inputs[0]!;
    return x.op === 'sub' && sameShape(x.inputs[0]!.shape, x.inputs[1]!.shape)
      ? (makeNode('sub', [x.inputs[1]!, x.inputs[0]!], {}) as Node)
      : undefined;
  },
  concat: flatConcat,
  gatherRows: neighbours,
  scatterRows: scatteredTogether,
  reshape: reshaped,
  transpose: transposed,
  expand: (node) => (sameShape(node.inputs[0]!.shape, node.shape) ? node.inputs[0]! : undefined),
  cast: (node) => (node.inputs[0]!.dtype === node.dtype ? node.inputs[0]! : undefined),
  slice: (node) => (sameShape(node.inputs[0]!.shape, node.shape) ? node.inputs[0]! : undefined),
  pad: (node) => (sameShape(node.inputs[0]!.shape, node.shape) ? node.inputs[0]! : undefined),
  matmul: productOfTransposed,
};

function settle(node: Node): Node {
  const simpler = (identities[node.op] as Identity<OpName> | undefined)?.(node);
  return simpler === undefined ? node : settle(simpler);
}

export const simplify: Rewrite = {
  name: 'simplify',
  ensures: 'no identity of the table applies',
  run: (program) => mapProgram(program, settle),
};
