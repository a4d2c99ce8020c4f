/** Gradients of what moves elements. */
import {
  add,
  gatherRows,
  mul,
  neg,
  pad,
  pick,
  place,
  reshape,
  rotary,
  rotateHalf,
  scatterRows,
  slice,
  sliceAxis,
  sub,
  sum,
  transpose,
} from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { type GradientRule, reduceTo } from './rule.ts';

export const reshapeRule: GradientRule<'reshape'> = (node, dy) => [reshape(dy, node.inputs[0]!.shape)];
export const transposeRule: GradientRule<'transpose'> = (node, dy) => {
  const { permutation } = node.attributes;
  return [
    transpose(
      dy,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ];
};
export const expandRule: GradientRule<'expand'> = (node, dy) => [reduceTo(dy, node.inputs[0]!.shape)];
export const sliceRule: GradientRule<'slice'> = (node, dy) => {
  const { starts, ends } = node.attributes;
  return [
    pad(
      dy,
      starts,
      node.inputs[0]!.shape.map((n, i) => n - ends[i]!),
    ),
  ];
};
export const padRule: GradientRule<'pad'> = (node, dy) => {
  const { before } = node.attributes;
  return [
    slice(
      dy,
      before,
      node.inputs[0]!.shape.map((n, i) => before[i]! + n),
    ),
  ];
};
export const concatRule: GradientRule<'concat'> = (node, dy) => {
  const { axis } = node.attributes;
  let start = 0;
  return node.inputs.map((x) => {
    const end = start + x.shape[axis]!;
    const part = sliceAxis(dy, axis, start, end);
    start = end;
    return part;
  });
};
export const gatherRowsRule: GradientRule<'gatherRows'> = (node, dy) => {
  const [table, index] = node.inputs;
  return [scatterRows(index!, dy, table!.shape[0]!), undefined];
};
export const scatterRowsRule: GradientRule<'scatterRows'> = (node, dy) => [
  undefined,
  gatherRows(dy, node.inputs[0]!),
];
export const pickRule: GradientRule<'pick'> = (node, dy) => {
  const [x, index] = node.inputs;
  return [place(index!, dy, x!.shape.at(-1)!), undefined];
};
export const placeRule: GradientRule<'place'> = (node, dy) => [undefined, pick(dy, node.inputs[0]!)];
/** The rotation is a quarter turn: its adjoint turns back. */
export const rotateHalfRule: GradientRule<'rotateHalf'> = (_, dy) => [neg(rotateHalf(dy))];
/** A turn by the angles is undone by a turn by their opposites. */
export const rotaryRule: GradientRule<'rotary'> = (node, dy) => {
  const [x, cos, sin] = node.inputs as readonly [Node, Node, Node];
  const half = cos.shape[2]!;
  const halves = (v: Node) => [sliceAxis(v, -1, 0, half), sliceAxis(v, -1, half, 2 * half)] as const;
  const [[x1, x2], [d1, d2]] = [halves(x), halves(dy)];
  const overHeads = (v: Node) => reduceTo(sum(v, [1]), cos.shape);
  return [
    rotary(dy, cos, neg(sin)),
    overHeads(add(mul(d1, x1), mul(d2, x2))),
    overHeads(sub(mul(d2, x1), mul(d1, x2))),
  ];
};
