/** Gradients of what works element by element. */
import { add, div, erf, exp, greaterEqual, mul, neg, sigmoid, sub, where } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { type GradientRule, reduceTo } from './rule.ts';

type Binary = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
const binary =
  <K extends Binary>(f: (a: Node, b: Node, dy: Node, y: Node) => readonly [Node, Node]): GradientRule<K> =>
  (node, dy) => {
    const [a, b] = node.inputs as readonly [Node, Node];
    const [da, db] = f(a, b, dy, node as Node);
    return [reduceTo(da, a.shape), reduceTo(db, b.shape)];
  };
const unary =
  (f: (x: Node, dy: Node, y: Node) => Node) =>
  (node: Node, dy: Node): readonly Node[] => [f(node.inputs[0]!, dy, node)];

export const addRule = binary<'add'>((_a, _b, dy) => [dy, dy]);
export const subRule = binary<'sub'>((_a, _b, dy) => [dy, neg(dy)]);
export const mulRule = binary<'mul'>((a, b, dy) => [mul(dy, b), mul(dy, a)]);
export const divRule = binary<'div'>((_a, b, dy, y) => {
  const da = div(dy, b);
  return [da, neg(mul(da, y))];
});
/** Of equal operands the first takes the gradient. */
export const maximumRule = binary<'maximum'>((a, b, dy) => {
  const first = greaterEqual(a, b);
  return [where(first, dy, 0), where(first, 0, dy)];
});
export const minimumRule = binary<'minimum'>((a, b, dy) => {
  const first = greaterEqual(b, a);
  return [where(first, dy, 0), where(first, 0, dy)];
});
export const whereRule: GradientRule<'where'> = (node, dy) => {
  const [condition, a, b] = node.inputs as readonly [Node, Node, Node];
  return [undefined, reduceTo(where(condition, dy, 0), a.shape), reduceTo(where(condition, 0, dy), b.shape)];
};

export const negRule = unary((_, dy) => neg(dy));
export const expRule = unary((_, dy, y) => mul(dy, y));
export const logRule = unary((x, dy) => div(dy, x));
export const sqrtRule = unary((_, dy, y) => div(mul(dy, 0.5), y));
export const reciprocalRule = unary((_, dy, y) => neg(mul(dy, mul(y, y))));
export const tanhRule = unary((_, dy, y) => mul(dy, sub(1, mul(y, y))));
export const erfRule = unary((x, dy) => mul(dy, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))));
export const sigmoidRule = unary((_, dy, y) => mul(dy, mul(y, sub(1, y))));
export const softplusRule = unary((x, dy) => mul(dy, sigmoid(x)));
/** With s = sigmoid(x) and y = x s: dy/dx = s + y − y s = s + y (1 − s). */
export const siluRule = unary((x, dy, y) => {
  const s = sigmoid(x);
  return mul(dy, add(s, mul(y, sub(1, s))));
});

/** With s = x / √2, twice Φ(x) + x φ(x) is 1 + erf s + (2 / √π) s / e^(s²). */
const twiceGeluErf = (x: Node): Node => {
  const s = mul(x, Math.SQRT1_2);
  return add(add(erf(s), 1), mul(div(s, exp(mul(s, s))), 2 / Math.sqrt(Math.PI)));
};
/**
 * x s with s = (1 + tanh u) / 2 = sigmoid(2u), 2u = x p, p = c (1 + 0.044715 x²), c = √(8/π):
 * s + y (1 − s) (2u)', and (2u)' = 3 p − 2 c.
 */
const geluTanh = (x: Node, y: Node): Node => {
  const c = Math.sqrt(8 / Math.PI);
  const p = add(mul(mul(x, x), 0.044715 * c), c);
  const s = sigmoid(mul(x, p));
  return add(s, mul(sub(y, mul(y, s)), sub(mul(p, 3), 2 * c)));
};
export const geluRule: GradientRule<'gelu'> = (node, dy) => {
  const x = node.inputs[0]!;
  if (node.attributes.approximation === 'tanh') return [mul(dy, geluTanh(x, node))];
  // Half of dy, which is for the most part a product that can be scaled for free.
  return [mul(mul(dy, 0.5), twiceGeluErf(x))];
};

/** A cast from f32 to f32 passes the gradient; any other has none. */
export const castRule: GradientRule<'cast'> = (node, dy) => [
  node.dtype === 'f32' && node.inputs[0]!.dtype === 'f32' ? dy : undefined,
];
