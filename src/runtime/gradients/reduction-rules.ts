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

/**
 * With r = inverse deviation, g = dy · w: dx = r g − x · (r³ / d) Σ g x. Three passes over the rows besides the sum; the
 * gradient of the weight is Σ dy · x r.
 */
export const rmsNormRule: GradientRule<'rmsNorm'> = (node, dy) => {
  const [x, w] = node.inputs as readonly [Node, Node];
  const r = inverseDeviation(x, node.attributes.epsilon, false);
  const g = mul(dy, w);
  const along = mul(mean(mul(g, x), [-1], true), mul(mul(r, r), r));
  return [sub(mul(g, r), mul(x, along)), reduceTo(mul(dy, mul(x, r)), w.shape)];
};

const filled = (value: number, size: number): Node =>
  constant({ dtype: 'f32', shape: [size], data: new Float32Array(size).fill(value) });

/** With n = (x − mean) r, g = dy · w: dx = r (g − mean(g) − n · mean(g n)); the weight's gradient is Σ dy · n. */
export const layerNormRule: GradientRule<'layerNorm'> = (node, dy) => {
  const [x, w, b] = node.inputs as readonly [Node, Node, Node];
  const { epsilon } = node.attributes;
  const width = w.shape[0]!;
  const n = layerNorm(x, filled(1, width), filled(0, width), epsilon);
  const g = mul(dy, w);
  const level = sub(g, add(mean(g, [-1], true), mul(n, mean(mul(g, n), [-1], true))));
  return [
    mul(level, inverseDeviation(x, epsilon, true)),
    reduceTo(mul(dy, n), w.shape),
    reduceTo(dy, b.shape),
  ];
};
