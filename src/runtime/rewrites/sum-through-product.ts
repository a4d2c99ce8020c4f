/**
 * The gradient of attention without a pass over the scores: with P (…, t, s), V (…, s, e), X (…, t, e)
 * Σₛ P · (X Vᵀ) = Σₑ X · (P V), and P V is the attention's own output, e being much smaller than s.
 * @see https://arxiv.org/abs/2205.14135 appendix B.2, where it is called D
 */
import { matmul, mul, reshape, sum } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

/** Behind reshapes that keep the rows of the last axis. */
function rowsOf(node: Node): Node {
  if (node.op !== 'reshape') return node;
  const x = node.inputs[0]!;
  return x.shape.at(-1) === node.shape.at(-1) ? rowsOf(x) : node;
}

interface Match {
  readonly p: Node;
  readonly x: Node;
  readonly v: Node;
  readonly scale: number;
}

const isPlain = (node: Node<'matmul'>) => !node.attributes.transposeA && !node.attributes.transposeB;

/** Finds Σ over the last axis of P · (scale · X Vᵀ). */
function match(node: Node): Match | undefined {
  if (node.op !== 'sum' || node.inputs[0]!.op !== 'mul') return undefined;
  const { shape } = node.inputs[0]!;
  const inputs = node.inputs[0]!.inputs as readonly [Node, Node];
  if (node.attributes.axes.join() !== String(shape.length - 1)) return undefined;
  for (const [i, factor] of inputs.entries()) {
    const product = rowsOf(factor);
    if (product.op !== 'matmul' || product.attributes.transposeA || !product.attributes.transposeB) continue;
    const [x, v] = product.inputs as readonly [Node, Node];
    const other = inputs[1 - i]!;
    const fits = other.shape.join() === factor.shape.join() && x.shape.at(-1)! < shape.at(-1)!;
    if (fits) return { p: rowsOf(other), x, v, scale: product.attributes.scale };
  }
  return undefined;
}

/** The product P V of a match, where the program computes it. */
function output({ p, x, v }: Match, products: readonly Node<'matmul'>[]): Node<'matmul'> | undefined {
  return products.find(
    (node) =>
      isPlain(node) &&
      node.inputs[1] === v &&
      rowsOf(node.inputs[0]!) === p &&
      node.shape.join() === x.shape.join(),
  );
}

export const sumThroughProduct: Rewrite = {
  name: 'sumThroughProduct',
  ensures: 'no sum over P · (X Vᵀ) is taken where P V is known and has shorter rows',
  run: (program) => {
    const products = nodesOf(program).filter((node): node is Node<'matmul'> => node.op === 'matmul');
    return mapProgram(program, (node, original) => {
      const found = match(original);
      const known = found && output(found, products);
      const here = known && match(node);
      if (!here) return node;
      const { p, x, v } = here;
      const rows = known.inputs[0]!.shape;
      // The same node as the attention's output once equal nodes are shared.
      const mixed = matmul(reshape(p, rows), v, known.attributes);
      const total = sum(mul(x, mixed), [-1], true);
      return mul(reshape(total, node.shape), here.scale / known.attributes.scale);
    });
  },
};
