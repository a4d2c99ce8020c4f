/** Random programs for properties: a few operations on a few operands, with everything that rewrites look for. */
import fc from 'fast-check';
import * as b from '../../src/runtime/programs/builder.ts';
import type { Node, Program } from '../../src/runtime/programs/program.ts';
import { ShapeError } from '../../src/runtime/programs/shapes.ts';

type Step = (x: Node, y: Node) => Node;

const steps: Readonly<Record<string, Step>> = {
  add: b.add,
  sub: b.sub,
  mul: b.mul,
  twice: (x) => b.mul(b.mul(x, 2), 0.25),
  one: (x) => b.mul(x, 1),
  zero: (x) => b.add(0, x),
  negateTwice: (x) => b.neg(b.neg(x)),
  reversed: (x, y) => b.neg(b.sub(x, y)),
  tanh: (x) => b.tanh(x),
  flatTwice: (x) => b.reshape(b.reshape(x, [x.shape.reduce((n, d) => n * d, 1)]), [...x.shape, 1]),
  squeeze: (x) => (x.shape.at(-1) === 1 ? b.reshape(x, x.shape.slice(0, -1)) : x),
  swap: (x) => b.transpose(x, x.shape.map((_, i) => i).reverse()),
  product: (x, y) => b.matmul(x, y, { scale: 0.5 }),
  productTransposed: (x, y) => b.mul(b.matmul(x, b.transpose(y, [1, 0])), 3),
  gram: (x) => b.matmul(x, x, { transposeA: true }),
  stretched: (x, y) => b.mul(b.expand(b.sum(x, [-1], true), x.shape), y),
  constant: (x) => b.add(x, b.exp(b.mul(b.scalar(0.5), b.scalar(3)))),
  cut: (x) => b.sliceAxis(x, 0, 0, x.shape[0]!),
  padded: (x, y) => b.add(b.pad(x, [1, 0], [0, 0]), b.pad(b.sliceAxis(y, 0, 0, 1), [0, 0], [x.shape[0]!, 0])),
  parts: (x) => b.concat([b.sliceAxis(x, 0, 1, x.shape[0]!), b.concat([x, x], 0)], 0),
  attention: (x, y) => {
    const p = b.softmax(b.matmul(x, y, { transposeB: true, scale: 0.5 }));
    return b.matmul(b.reshape(p, [1, ...p.shape]), b.reshape(y, [1, ...y.shape]));
  },
  same: (x) => b.add(b.tanh(x), b.tanh(x)),
  marked: (x) => b.stopGradient(x),
  attached: (x) => b.attachGradient(b.sum(x), [[x, x]]),
  normal: (x) =>
    x.shape.length === 0
      ? x
      : b.rmsNorm(
          x,
          b.constant({
            dtype: 'f32',
            shape: x.shape.slice(-1),
            data: new Float32Array(x.shape.at(-1)!).fill(1),
          }),
          1e-3,
        ),
};

/** Programs with inputs x (2, 3) and y (3, 2) and parameter w (2, 3); steps that do not fit are left out. */
export const randomProgram: fc.Arbitrary<Program> = fc
  .array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(20), fc.nat(20)), {
    minLength: 1,
    maxLength: 14,
  })
  .map((choices) => {
    const values: Node[] = [
      b.input('x', 'f32', [2, 3]),
      b.input('y', 'f32', [3, 2]),
      b.parameter('w', [2, 3]),
    ];
    for (const [name, i, j] of choices) {
      try {
        values.push(steps[name]!(values.at(-1 - (i % values.length))!, values.at(-1 - (j % values.length))!));
      } catch (error) {
        if (!(error instanceof ShapeError) && !(error instanceof TypeError)) throw error;
      }
    }
    return b.program('random', {
      last: values.at(-1)!,
      earlier: values.at(-2)!,
      loss: b.sum(b.tanh(values.at(-1)!)),
    });
  });
