/**
 * An eight-bit product is rescaled row by row, a pass over its result. Where the result is only multiplied and quantized
 * again, which takes each row by its own largest number, the scale need not be in it: it goes to that largest number.
 */
import { absmax, constant, matmulCodes, mul, quantizeRows } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

type Product = Node<'matmulCodes'>;

/** With one scale a row. */
const isProduct = (node: Node): node is Product =>
  node.op === 'matmulCodes' && node.inputs[1]!.shape.at(-1) === 1;

function usersIn(order: readonly Node[]): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>();
  for (const node of order)
    for (const x of new Set(node.inputs)) users.set(x, [...(users.get(x) ?? []), node]);
  return users;
}

const withLargest = ({ inputs, attributes }: Product, largest: Node): Product =>
  matmulCodes([inputs[0]!, largest, inputs[2]!, inputs[3]!], attributes.signed) as Product;

const readsOwnLargest = (node: Node, x: Node): boolean =>
  node.op === 'quantizeRows' &&
  node.inputs[0] === x &&
  node.inputs[1]!.op === 'absmax' &&
  node.inputs[1]!.inputs[0] === x;

/** Products, and what they are multiplied into, that lead to quantizations and nowhere else. */
function deferrable(program: Program): Set<Node> {
  const order = nodesOf(program);
  const users = usersIn(order);
  const outputs = new Set(program.outputs.values());
  const found = new Set<Node>();
  const fits = (node: Node): boolean => {
    if (outputs.has(node)) return false;
    const readers = users.get(node) ?? [];
    return readers.every(
      (user) => (user.op === 'mul' && found.has(user)) || user.op === 'absmax' || readsOwnLargest(user, node),
    );
  };
  for (const node of order.toReversed()) {
    const isFactor = node.op === 'mul' && node.inputs.every((x) => x.shape.join() === node.shape.join());
    const isStart = isProduct(node) && node.inputs[1]!.op === 'absmax';
    if ((isFactor || isStart) && fits(node)) found.add(node);
  }
  return found;
}

const ones = (x: Node): Node =>
  constant({ dtype: 'f32', shape: x.shape, data: new Float32Array(sizeOf(x.shape)).fill(1) });

/** Each deferrable value as (rows without their scale, the scale (N, 1) that is left out). */
function deferred(program: Program): Program {
  const chosen = deferrable(program);
  const scales = new Map<Node, Node>();
  return mapProgram(program, (node, original) => {
    const scaleOf = (i: number): Node | undefined => scales.get(original.inputs[i]!);
    if (isProduct(original) && chosen.has(original)) {
      scales.set(original, node.inputs[1]!);
      return withLargest(node as Product, ones(node.inputs[1]!));
    }
    if (original.op === 'mul' && chosen.has(original)) {
      const [a, b] = [scaleOf(0), scaleOf(1)];
      const scale = a && b ? mul(a, b) : (a ?? b);
      if (scale) scales.set(original, scale);
      return node;
    }
    const scale = scaleOf(0);
    if (scale === undefined) return node;
    if (original.op === 'absmax') return mul(node, scale);
    const rows = node.inputs[0]!;
    return original.op === 'quantizeRows'
      ? quantizeRows(rows, absmax(rows), original.attributes.signed)
      : node;
  });
}

export const rowScales: Rewrite = {
  name: 'rowScales',
  ensures: 'no eight-bit product is rescaled that is only multiplied and quantized again',
  run: (program) => (nodesOf(program).some(isProduct) ? deferred(program) : program),
};
