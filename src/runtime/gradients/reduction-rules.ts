/** Gradients along axes: sums, softmax, the norms. */
import {
  add,
  cast,
  constant,
  div,
  equal,
  expand,
  inverseDeviation,
  layerNorm,
  matmul,
  mean,
  mul,
  reshape,
  softmax,
  sub,
  sum,
} from '../programs/builder.ts';
import { type Node, sizeOf } from '../programs/program.ts';
import { type GradientRule, reduceTo } from './rule.ts';

type Axes = { readonly axes: readonly number[] };

/** A reduced value or gradient, shaped so that it broadcasts against what was reduced. */
const kept = (reduced: Node, x: Node, { axes }: Axes): Node =>
  reshape(
    reduced,
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  );

export const sumRule: GradientRule<'sum'> = (node, dy) => {
  const x = node.inputs[0]!;
  return [expand(kept(dy, x, node.attributes), x.shape)];
};
export const meanRule: GradientRule<'mean'> = (node, dy) => {
  const x = node.inputs[0]!;
  const share = mul(dy, sizeOf(node.shape) / sizeOf(x.shape));
  return [expand(kept(share, x, node.attributes), x.shape)];
};
/** Equal largest elements share the gradient. */
export const maxRule: GradientRule<'max'> = (node, dy) => {
  const x = node.inputs[0]!;
  const hit = cast(equal(x, kept(node, x, node.attributes)), 'f32');
  const shares = sum(hit, node.attributes.axes, true);
  return [mul(hit, div(kept(dy, x, node.attributes), shares))];
};

export const softmaxRule: GradientRule<'softmax'> = (node, dy) => [
  mul(node, sub(dy, sum(mul(dy, node), [-1], true))),
];
export const logSoftmaxRule: GradientRule<'logSoftmax'> = (node, dy) => [
  sub(dy, mul(softmax(node.inputs[0]!), sum(dy, [-1], true))),
];

/** y = (variance + ε)^(−1/2): dy/dx = −y³ (x − mean) / d, without the mean where it is not centred. */
export const inverseDeviationRule: GradientRule<'inverseDeviation'> = (node, dy) => {
  const x = node.inputs[0]!;
  const centered = node.attributes.centered ? sub(x, mean(x, [-1], true)) : x;
  const cube = mul(mul(node, node), node);
  return [mul(centered, mul(dy, mul(cube, -1 / x.shape.at(-1)!)))];
};

/** Mean of each row's elements times those of a vector: (…, d), (d) → (…, 1). A product that is not scaled is quicker. */
function meanAlong(rows: Node, vector: Node): Node {
  const width = vector.shape[0]!;
  return matmul(rows, reshape(mul(vector, 1 / width), [width, 1]));
}

/**
 * With r = inverse deviation, g = dy · w: dx = r g − x · (r³ / d) Σ g x. Three passes over the rows besides the sum; the
 * gradient of the weight is Σ dy · x r.
 */
export const rmsNormRule: GradientRule<'rmsNorm'> = (node, dy) => {
  const [x, w] = node.inputs as readonly [Node, Node];
  const r = inverseDeviation(x, node.attributes.epsilon, false);
  const products = mul(dy, x);
  const along = mul(meanAlong(products, w), mul(mul(r, r), r));
  const count = sizeOf(r.shape);
  const dw = matmul(reshape(r, [1, count]), reshape(products, [count, w.shape[0]!]));
  return [sub(mul(mul(dy, w), r), mul(x, along)), reshape(dw, w.shape)];
};

const filled = (value: number, size: number): Node =>
  constant({ dtype: 'f32', shape: [size], data: new Float32Array(size).fill(value) });

/** With n = (x − mean) r, g = dy · w: dx = r (g − mean(g) − n · mean(g n)); the weight's gradient is Σ dy · n. */
export const layerNormRule: GradientRule<'layerNorm'> = (node, dy) => {
  const [x, w, b] = node.inputs as readonly [Node, Node, Node];
  const { epsilon } = node.attributes;
  const width = w.shape[0]!;
  const n = layerNorm(x, filled(1, width), filled(0, width), epsilon);
  const products = mul(dy, n);
  const centre = add(meanAlong(dy, w), mul(n, meanAlong(products, w)));
  return [
    mul(sub(mul(dy, w), centre), inverseDeviation(x, epsilon, true)),
    reduceTo(products, w.shape),
    reduceTo(dy, b.shape),
  ];
};
