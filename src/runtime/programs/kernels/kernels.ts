/** The meaning of every operation in plain TypeScript: the oracle for engines, and what constant folding computes with. */
import type { OpName } from '../ops.ts';
import type { Node } from '../program.ts';
import * as codes from './codes.ts';
import { dequantize } from './dequantize.ts';
import * as elementwise from './elementwise.ts';
import { matmul } from './matmul.ts';
import * as movement from './movement.ts';
import * as reductions from './reductions.ts';
import { type Kernel, type Precision, type Value, zeros } from './value.ts';

const fed = (): never => {
  throw new Error('a source has no kernel: its value is fed');
};
const { copy } = elementwise;

export const kernels: { readonly [K in OpName]: Kernel<K> } = {
  input: fed,
  parameter: fed,
  constant: (out, _, { value }) => out.data.set(value.data),
  add: elementwise.add,
  sub: elementwise.sub,
  mul: elementwise.mul,
  div: elementwise.div,
  maximum: elementwise.maximum,
  minimum: elementwise.minimum,
  greater: elementwise.greater,
  greaterEqual: elementwise.greaterEqual,
  equal: elementwise.equal,
  where: elementwise.where,
  neg: elementwise.neg,
  exp: elementwise.exp,
  log: elementwise.log,
  sqrt: elementwise.sqrt,
  reciprocal: elementwise.reciprocal,
  tanh: elementwise.tanh,
  erf: elementwise.erfOf,
  sigmoid: elementwise.sigmoid,
  softplus: elementwise.softplus,
  cast: elementwise.cast,
  sum: reductions.sum,
  mean: reductions.mean,
  max: reductions.max,
  argmax: reductions.argmax,
  softmax: reductions.softmax,
  logSoftmax: reductions.logSoftmax,
  reshape: copy,
  transpose: movement.transpose,
  expand: movement.expand,
  slice: movement.slice,
  pad: movement.pad,
  concat: movement.concat,
  gatherRows: movement.gatherRows,
  scatterRows: movement.scatterRows,
  pick: movement.pick,
  place: movement.place,
  matmul,
  dequantize,
  absmax: codes.absmax,
  quantizeRows: codes.quantizeRows,
  matmulCodes: codes.matmulCodes,
  layerNorm: reductions.layerNorm,
  rmsNorm: reductions.rmsNorm,
  inverseDeviation: reductions.inverseDeviation,
  silu: elementwise.silu,
  gelu: elementwise.gelu,
  rotateHalf: movement.rotateHalf,
  rotary: movement.rotary,
  attachGradient: copy,
  stopGradient: copy,
  blockEdge: copy,
  after: copy,
};

/** The value of one node from the values of its operands. Errors: RangeError for an index outside a table. */
export function evaluateNode(node: Node, inputs: readonly Value[], precision: Precision = 'f32'): Value {
  const out = zeros(node.dtype, node.shape, precision);
  (kernels[node.op] as Kernel<OpName>)(out, inputs, node.attributes);
  return out;
}
