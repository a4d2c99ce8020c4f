/** What a gradient rule is, and the adjoint of broadcasting that most of them share. */
import { reshape, sum } from '../programs/builder.ts';
import type { OpName, Shape } from '../programs/ops.ts';
import type { Node } from '../programs/program.ts';

/**
 * From a node y = f(x₁ … xₙ) and dL/dy, dL/dxᵢ for each operand; undefined where no gradient flows. Rules may build more
 * than is wanted: what nobody uses is not part of the program.
 */
export type GradientRule<K extends OpName> = (node: Node<K>, dy: Node) => readonly (Node | undefined)[];

/** Sums a gradient over the axes along which an operand of `shape` was stretched. */
export function reduceTo(dy: Node, shape: Shape): Node {
  const lead = dy.shape.length - shape.length;
  const stretched = dy.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  const total = stretched.length === 0 ? dy : sum(dy, stretched);
  return total.shape.length === shape.length ? total : reshape(total, shape);
}
