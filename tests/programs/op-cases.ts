/** Programs of one operation each, complete by type: what every executable is tested with. */
import * as b from '../../src/runtime/programs/builder.ts';
import type { DType, OpName, Shape } from '../../src/runtime/programs/ops.ts';
import type { Node } from '../../src/runtime/programs/program.ts';

export interface OperandSpec {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Values lie in [low, high): all positive for a logarithm, rows of a table for an index. */
  readonly low: number;
  readonly high: number;
}

export interface OpCase {
  readonly operands: readonly OperandSpec[];
  readonly build: (...operands: Node[]) => Node;
}

const f32 = (shape: Shape, low = -2, high = 2): OperandSpec => ({ dtype: 'f32', shape, low, high });
const i32 = (shape: Shape, low: number, high: number): OperandSpec => ({ dtype: 'i32', shape, low, high });
const u8 = (shape: Shape): OperandSpec => ({ dtype: 'u8', shape, low: 0, high: 256 });
const i8 = (shape: Shape): OperandSpec => ({ dtype: 'i8', shape, low: -127, high: 128 });
const bool = (shape: Shape): OperandSpec => ({ dtype: 'bool', shape, low: 0, high: 2 });
const of = (build: (...operands: Node[]) => Node, ...operands: OperandSpec[]): OpCase => ({
  operands,
  build,
});

const binary = (build: (x: Node, y: Node) => Node, low = -2): OpCase[] => [
  of(build as OpCase['build'], f32([3, 4]), f32([3, 4], low)),
  of(build as OpCase['build'], f32([2, 3, 4]), f32([4], low)),
  of(build as OpCase['build'], f32([2, 1, 4]), f32([3, 1], low)),
  of(build as OpCase['build'], f32([]), f32([5], low)),
];
const compared = (build: (x: Node, y: Node) => Node): OpCase[] => [
  ...binary(build),
  of(build as OpCase['build'], i32([4, 5], 0, 3), i32([5], 0, 3)),
];
const unary = (build: (x: Node) => Node, low = -3, high = 3): OpCase[] => [
  of(build as OpCase['build'], f32([3, 5], low, high)),
  of(build as OpCase['build'], f32([2, 1, 4], low, high)),
  of(build as OpCase['build'], f32([], low, high)),
];
const rows = (build: (x: Node) => Node): OpCase[] => [
  of(build as OpCase['build'], f32([7])),
  of(build as OpCase['build'], f32([2, 3, 6], -30, 30)),
  of(build as OpCase['build'], f32([4, 33])),
];
const reduction = (op: typeof b.sum): OpCase[] => [
  of((x) => op(x!), f32([3, 4])),
  of((x) => op(x!, [-1]), f32([2, 3, 4])),
  of((x) => op(x!, [0, 2], true), f32([2, 3, 4])),
  of((x) => op(x!, [1], true), f32([2, 3])),
];
const matmul = (options: Partial<Parameters<typeof b.matmul>[2]>, a: Shape, c: Shape): OpCase =>
  of((x, y) => b.matmul(x!, y!, options as object), f32(a), f32(c));

export const opCases: { readonly [K in OpName]: readonly OpCase[] } = {
  input: [of((x) => b.add(x!, x!), f32([3]))],
  parameter: [of((x) => b.add(x!, b.parameter('weight', [2, 3])), f32([2, 3]))],
  constant: [
    of(
      (x) => b.add(x!, b.constant({ dtype: 'f32', shape: [2], data: Float32Array.of(1.5, -2) })),
      f32([3, 2]),
    ),
    of((x) => b.add(x!, b.integers([1, 2, 3])), i32([3], 0, 9)),
  ],
  add: [...binary(b.add), of((x, y) => b.add(x!, y!), i32([4], -9, 9), i32([], -9, 9))],
  sub: binary(b.sub),
  mul: [...binary(b.mul), of((x, y) => b.mul(x!, y!), i32([4], -9, 9), i32([4], -9, 9))],
  div: [...binary(b.div, 0.5), of((x, y) => b.div(x!, y!), i32([6], -9, 9), i32([6], 1, 4))],
  maximum: [...binary(b.maximum), of((x, y) => b.maximum(x!, y!), i32([4], -9, 9), i32([], -9, 9))],
  minimum: binary(b.minimum),
  greater: compared(b.greater),
  greaterEqual: compared(b.greaterEqual),
  equal: compared(b.equal),
  where: [
    of((c, x, y) => b.where(c!, x!, y!), bool([3, 4]), f32([3, 4]), f32([4])),
    of((c, x) => b.where(c!, x!, -1), bool([4, 1]), f32([3])),
    of((c, x, y) => b.where(c!, x!, y!), bool([3]), i32([3], 0, 9), i32([3], 0, 9)),
  ],
  neg: unary(b.neg),
  exp: unary(b.exp),
  log: unary(b.log, 0.1),
  sqrt: unary(b.sqrt, 0.1),
  reciprocal: unary(b.reciprocal, 0.5),
  tanh: unary(b.tanh),
  erf: unary(b.erf),
  sigmoid: unary(b.sigmoid),
  softplus: [...unary(b.softplus), of((x) => b.softplus(x!), f32([5], -90, 90))],
  cast: [
    of((x) => b.cast(x!, 'i32'), f32([3, 5])),
    of((x) => b.cast(x!, 'f32'), i32([4], -9, 9)),
    of((x) => b.cast(x!, 'f32'), bool([6])),
    of((x) => b.cast(x!, 'bool'), i32([6], 0, 2)),
    of((x) => b.cast(x!, 'f32'), f32([3])),
  ],
  sum: reduction(b.sum),
  mean: reduction(b.mean),
  max: reduction(b.max),
  argmax: [of((x) => b.argmax(x!), f32([7])), of((x) => b.argmax(x!), f32([2, 3, 5]))],
  softmax: rows(b.softmax),
  logSoftmax: rows(b.logSoftmax),
  reshape: [of((x) => b.reshape(x!, [6]), f32([2, 3])), of((x) => b.reshape(x!, [2, 1, 2]), i32([4], 0, 9))],
  transpose: [
    of((x) => b.transpose(x!, [1, 0]), f32([2, 3])),
    of((x) => b.transpose(x!, [0, 2, 1, 3]), f32([2, 3, 4, 5])),
    of((x) => b.transpose(x!, [2, 0, 1]), f32([2, 3, 4])),
  ],
  expand: [of((x) => b.expand(x!, [2, 3, 4]), f32([3, 1])), of((x) => b.expand(x!, [5]), f32([]))],
  slice: [
    of((x) => b.slice(x!, [1, 0], [3, 2]), f32([3, 4])),
    of((x) => b.sliceAxis(x!, -1, 2, 4), f32([2, 3, 4])),
    of((x) => b.slice(x!, [0], [4]), f32([4])),
  ],
  pad: [of((x) => b.pad(x!, [1, 0], [0, 2]), f32([2, 3])), of((x) => b.pad(x!, [2], [1]), f32([3]))],
  concat: [
    of((x, y) => b.concat([x!, y!], 0), f32([2, 3]), f32([1, 3])),
    of((x, y, z) => b.concat([x!, y!, z!], 2), f32([2, 3, 1]), f32([2, 3, 2]), f32([2, 3, 4])),
    of((x, y) => b.concat([x!, y!], 1), i32([2, 2], 0, 9), i32([2, 3], 0, 9)),
  ],
  dequantize: [
    of((c, a) => b.dequantize(c!, a!, { format: 'nf4', block: 64, shape: [8, 32] }), u8([128]), f32([4])),
    of((c, a) => b.dequantize(c!, a!, { format: 'fp4', block: 16, shape: [3, 5, 7] }), u8([53]), f32([7])),
    of((c, a) => b.dequantize(c!, a!, { format: 'int8', block: 32, shape: [10, 7] }), u8([70]), f32([3])),
    of((c, a) => b.dequantize(c!, a!, { format: 'int4', block: 4, shape: [6, 4] }), u8([12]), f32([6])),
    of((c, a) => b.dequantize(c!, a!, { format: 'dynamic', block: 256, shape: [300] }), u8([300]), f32([2])),
    ...(['nf4', 'fp4', 'int8'] as const).flatMap((format) =>
      [true, false].map((transposeB) =>
        of(
          (x, c, a) =>
            b.matmul(x!, b.dequantize(c!, a!, { format, block: 16, shape: transposeB ? [6, 32] : [32, 6] }), {
              transposeB,
            }),
          f32([5, 32]),
          u8([format === 'int8' ? 192 : 96]),
          f32([12]),
        ),
      ),
    ),
  ],
  gatherRows: [
    of((t, i) => b.gatherRows(t!, i!), f32([5, 3]), i32([2, 4], 0, 5)),
    of((t, i) => b.gatherRows(t!, i!), f32([5]), i32([7], 0, 5)),
    of((t, i) => b.gatherRows(t!, i!), f32([4, 2, 3]), i32([], 0, 4)),
  ],
  scatterRows: [
    of((i, r) => b.scatterRows(i!, r!, 4), i32([2, 6], 0, 4), f32([2, 6, 3])),
    of((i, r) => b.scatterRows(i!, r!, 3), i32([9], 0, 3), f32([9])),
  ],
  pick: [
    of((x, i) => b.pick(x!, i!), f32([4, 5]), i32([4], 0, 5)),
    of((x, i) => b.pick(x!, i!), f32([2, 3, 5]), i32([2, 3], 0, 5)),
  ],
  place: [
    of((i, v) => b.place(i!, v!, 5), i32([4], 0, 5), f32([4])),
    of((i, v) => b.place(i!, v!, 5), i32([2, 3], 0, 5), f32([2, 3])),
  ],
  matmul: [
    matmul({}, [2, 3], [3, 4]),
    matmul({ transposeB: true, scale: 0.5 }, [2, 3], [4, 3]),
    matmul({ transposeA: true }, [3, 2], [3, 4]),
    matmul({ transposeA: true, transposeB: true, scale: -2 }, [3, 2], [4, 3]),
    matmul({ transposeB: true }, [2, 5, 3], [4, 3]),
    matmul({ scale: 3 }, [2, 2, 5, 3], [3, 4]),
    matmul({ transposeA: true }, [2, 3, 5], [3, 4]),
    matmul({}, [2, 5, 3], [2, 3, 4]),
    matmul({ transposeB: true, scale: 0.125 }, [2, 3, 5, 4], [2, 3, 6, 4]),
    matmul({ transposeA: true }, [2, 3, 4, 5], [2, 3, 4, 6]),
    matmul({ transposeB: true }, [2, 3, 2, 5, 4], [2, 3, 1, 6, 4]),
    matmul({}, [5, 3], [2, 3, 4]),
    matmul({}, [5, 3], [1, 3, 4]),
    matmul({}, [1, 40], [40, 33]),
  ],
  absmax: [of((x) => b.absmax(x!), f32([5, 9])), of((x) => b.absmax(x!), f32([2, 3, 4], -7, -1))],
  quantizeRows: [
    of((x, m) => b.cast(b.quantizeRows(x!, m!, true), 'f32'), f32([6, 40]), f32([6, 1], 2, 3)),
    of((x) => b.cast(b.quantizeRows(x!, b.absmax(x!), true), 'f32'), f32([2, 3, 33])),
    of((x, m) => b.cast(b.quantizeRows(x!, m!, false), 'f32'), f32([5, 17], 0, 1), f32([5, 1], 1, 2)),
    of((x, m) => b.cast(b.quantizeRows(x!, m!, true), 'f32'), f32([2, 3, 24]), f32([2, 3, 4], 1, 2)),
  ],
  matmulCodes: [
    of((c, m, w, s) => b.matmulCodes([c!, m!, w!, s!], true), u8([4, 7]), f32([4, 1]), i8([7, 5]), f32([5])),
    of((c, m, w, s) => b.matmulCodes([c!, m!, w!, s!], false), u8([4, 7]), f32([4, 1]), i8([7, 5]), f32([5])),
    of(
      (c, m, w, s) => b.matmulCodes([c!, m!, w!, s!], false),
      u8([9, 60]),
      f32([9, 5]),
      i8([60, 7]),
      f32([7]),
    ),
    of(
      (c, m, w, s) => b.matmulCodes([c!, m!, w!, s!], true),
      u8([2, 3, 40]),
      f32([2, 3, 2], 0, 1),
      i8([40, 6]),
      f32([6]),
    ),
    of(
      (c, m, w, s) => b.matmulCodes([c!, m!, w!, s!], true),
      u8([2, 20, 70]),
      f32([2, 20, 1], 0, 1),
      i8([70, 33]),
      f32([33], 0, 0.01),
    ),
  ],
  layerNorm: [
    of((x, w, c) => b.layerNorm(x!, w!, c!, 1e-5), f32([3, 8]), f32([8]), f32([8])),
    of((x, w, c) => b.layerNorm(x!, w!, c!, 1e-2), f32([2, 3, 5]), f32([5]), f32([5])),
  ],
  rmsNorm: [
    of((x, w) => b.rmsNorm(x!, w!, 1e-5), f32([3, 8]), f32([8])),
    of((x, w) => b.rmsNorm(x!, w!, 1e-2), f32([2, 3, 5]), f32([5])),
  ],
  inverseDeviation: [
    of((x) => b.inverseDeviation(x!, 1e-5, true), f32([3, 8])),
    of((x) => b.inverseDeviation(x!, 1e-2, false), f32([2, 3, 5])),
    of((x, w) => b.mul(b.rmsNorm(x!, w!, 1e-3), b.inverseDeviation(x!, 1e-3, false)), f32([4, 6]), f32([6])),
    of(
      (x, w, c) => b.mul(b.layerNorm(x!, w!, c!, 1e-3), b.inverseDeviation(x!, 1e-3, true)),
      f32([4, 6]),
      f32([6]),
      f32([6]),
    ),
  ],
  silu: unary(b.silu),
  gelu: [...unary((x) => b.gelu(x, 'erf')), ...unary((x) => b.gelu(x, 'tanh'))],
  rotateHalf: [of((x) => b.rotateHalf(x!), f32([2, 3, 8])), of((x) => b.rotateHalf(x!), f32([2]))],
  rotary: [
    of((x, c, s) => b.rotary(x!, c!, s!), f32([2, 3, 4, 8]), f32([1, 4, 4]), f32([1, 4, 4])),
    of((x, c, s) => b.rotary(x!, c!, s!), f32([2, 3, 4, 8]), f32([2, 4, 4]), f32([2, 4, 4])),
    of((x, c, s) => b.rotary(x!, c!, s!), f32([3, 1, 1, 2]), f32([3, 1, 1]), f32([3, 1, 1])),
    of((x, c, s) => b.rotary(x!, c!, s!), f32([1, 2, 3, 64]), f32([1, 3, 32]), f32([1, 3, 32])),
  ],
  attachGradient: [
    of((x) => b.attachGradient(b.sum(b.mul(x!, x!)), [[x!, b.mul(x!, 2)]]), f32([3, 2])),
    of(
      (x, y) =>
        b.attachGradient(b.sum(b.mul(x!, y!)), [
          [x!, y!],
          [y!, x!],
        ]),
      f32([3]),
      f32([3]),
    ),
  ],
  stopGradient: [of((x) => b.mul(b.stopGradient(x!), x!), f32([3]))],
  blockEdge: [of((x) => b.mul(b.blockEdge(x!, 0), x!), f32([3]))],
  after: [
    of((x, y) => b.after(x!, b.exp(y!)), f32([3, 2]), f32([4, 1, 2])),
    of((x, y) => b.after(x!, y!), i32([5], -9, 9), f32([])),
  ],
};
