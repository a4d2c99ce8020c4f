/** Gradients of the matrix product: products again, transposed by flag and never by copying. */
import { matmul, reshape } from '../programs/builder.ts';
import { type Node, sizeOf } from '../programs/program.ts';
import { type GradientRule, reduceTo } from './rule.ts';

/**
 * Number of trailing batch axes that b stretches over while a has them. Rows of those axes can be counted as rows of a:
 * (B, T, K) × (K, N) is one product of B·T rows, and grouped queries (B, H, G, T, D) × (B, H, 1, D, S) are G·T rows.
 */
function sharedAxes(a: Node, b: Node, y: Node): number {
  const rank = y.shape.length - 2;
  const sizeAt = (x: Node, axis: number) => x.shape[x.shape.length - 2 - rank + axis];
  let count = 0;
  for (let axis = rank - 1; axis >= 0; axis--) {
    if ((sizeAt(b, axis) ?? 1) !== 1 || sizeAt(a, axis) !== y.shape[axis]) break;
    count++;
  }
  return count;
}

/** (…, shared, rows, columns) → (…, shared · rows, columns) */
function mergeRows(x: Node, axes: number): Node {
  const lead = x.shape.slice(0, x.shape.length - 2 - axes);
  return reshape(x, [...lead, sizeOf(x.shape.slice(lead.length, -1)), x.shape.at(-1)!]);
}

function gradientOfB(node: Node<'matmul'>, dy: Node): Node {
  const [a, b] = node.inputs as readonly [Node, Node];
  const { transposeA, transposeB, scale } = node.attributes;
  const axes = transposeA ? 0 : sharedAxes(a, b, node);
  const rows = axes === 0 ? a : mergeRows(a, axes);
  const dRows = axes === 0 ? dy : mergeRows(dy, axes);
  const db = transposeB
    ? matmul(dRows, rows, { transposeA: true, transposeB: transposeA, scale })
    : matmul(rows, dRows, { transposeA: !transposeA, scale });
  // The merged axes are gone from db; in b they are ones (or were never there), so a reshape brings them back.
  const missing = b.shape.length - db.shape.length;
  if (axes === 0 || missing < 0) return reduceTo(db, b.shape);
  const restored = [...db.shape.slice(0, -2), ...new Array<number>(missing).fill(1), ...db.shape.slice(-2)];
  return reduceTo(missing === 0 ? db : reshape(db, restored), b.shape);
}

function gradientOfA(node: Node<'matmul'>, dy: Node): Node {
  const [a, b] = node.inputs as readonly [Node, Node];
  const { transposeA, transposeB, scale } = node.attributes;
  const da = transposeA
    ? matmul(b, dy, { transposeA: transposeB, transposeB: true, scale })
    : matmul(dy, b, { transposeB: !transposeB, scale });
  return reduceTo(da, a.shape);
}

export const matmulRule: GradientRule<'matmul'> = (node, dy) => [
  gradientOfA(node, dy),
  gradientOfB(node, dy),
];
