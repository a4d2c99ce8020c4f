/** The gradient of every operation; `none` says that an operation has none (its value does not vary smoothly). */
import { blockEdge, mul, reshape } from '../programs/builder.ts';
import type { OpName } from '../programs/ops.ts';
import * as elementwise from './elementwise-rules.ts';
import { matmulRule } from './matmul-rule.ts';
import * as movement from './movement-rules.ts';
import * as reduction from './reduction-rules.ts';
import type { GradientRule } from './rule.ts';

export const gradientRules: { readonly [K in OpName]: GradientRule<K> | 'none' } = {
  input: 'none',
  parameter: 'none',
  constant: 'none',
  add: elementwise.addRule,
  sub: elementwise.subRule,
  mul: elementwise.mulRule,
  div: elementwise.divRule,
  maximum: elementwise.maximumRule,
  minimum: elementwise.minimumRule,
  greater: 'none',
  greaterEqual: 'none',
  equal: 'none',
  where: elementwise.whereRule,
  neg: elementwise.negRule,
  exp: elementwise.expRule,
  log: elementwise.logRule,
  sqrt: elementwise.sqrtRule,
  reciprocal: elementwise.reciprocalRule,
  tanh: elementwise.tanhRule,
  erf: elementwise.erfRule,
  sigmoid: elementwise.sigmoidRule,
  softplus: elementwise.softplusRule,
  cast: elementwise.castRule,
  sum: reduction.sumRule,
  mean: reduction.meanRule,
  max: reduction.maxRule,
  argmax: 'none',
  softmax: reduction.softmaxRule,
  logSoftmax: reduction.logSoftmaxRule,
  reshape: movement.reshapeRule,
  transpose: movement.transposeRule,
  expand: movement.expandRule,
  slice: movement.sliceRule,
  pad: movement.padRule,
  concat: movement.concatRule,
  gatherRows: movement.gatherRowsRule,
  scatterRows: movement.scatterRowsRule,
  pick: movement.pickRule,
  place: movement.placeRule,
  matmul: matmulRule,
  dequantize: 'none',
  absmax: 'none',
  quantizeRows: 'none',
  matmulCodes: 'none',
  layerNorm: reduction.layerNormRule,
  rmsNorm: reduction.rmsNormRule,
  inverseDeviation: reduction.inverseDeviationRule,
  silu: elementwise.siluRule,
  gelu: elementwise.geluRule,
  rotateHalf: movement.rotateHalfRule,
  rotary: movement.rotaryRule,
  attachGradient: (node, dy) => {
    const { count } = node.attributes;
    const gradients = node.inputs.slice(1 + count);
    const scale = reshape(dy, []);
    return [undefined, ...gradients.map((g) => mul(g, scale)), ...gradients.map(() => undefined)];
  },
  stopGradient: 'none',
  blockEdge: (node, dy) => [blockEdge(dy, node.attributes.edge, true)],
  after: (_, dy) => [dy, undefined],
};
