/** A compiled kernel computes what its expressions say, bit for bit: in single precision, and in double where it takes sums. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileKernel, RUN } from '../../src/runtime/optimizers/kernel/compile-kernel.ts';
import {
  add,
  divide,
  type Expression,
  eachStep,
  multiply,
  type Step,
  sign,
  squareRoot,
  subtract,
} from '../../src/runtime/optimizers/kernel/expression.ts';

type Round = (value: number) => number;
const asItIs: Round = (value) => value;

/** The meaning of an expression, element by element; rounded after each operation. */
function evaluate(e: Expression, element: ReadonlyMap<string, number>, step: Step, round: Round): number {
  const value = (operand: Expression) => evaluate(operand, element, step, round);
  return round(operation(e, value, element, step));
}

function operation(
  e: Expression,
  value: (operand: Expression) => number,
  element: ReadonlyMap<string, number>,
  step: Step,
): number {
  switch (e.kind) {
    case 'array':
      return element.get(e.name)!;
    case 'number':
      return e.at(step);
    case 'squareRoot':
      return Math.sqrt(value(e.of));
    case 'sign':
      return Number(value(e.of) > 0) - Number(value(e.of) < 0);
    case 'add':
      return value(e.left) + value(e.right);
    case 'subtract':
      return value(e.left) - value(e.right);
    case 'multiply':
      return value(e.left) * value(e.right);
    case 'divide':
      return value(e.left) / value(e.right);
  }
}

const names = ['a', 'b', 'c'];
const array = (name: string): Expression => ({ kind: 'array', name });

/** Trees whose branches may be one and the same node. */
const expressions = fc.letrec<{ e: Expression }>((tie) => ({
  e: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...names).map(array),
    fc.double({ min: -3, max: 3, noNaN: true }).map((n) => eachStep(({ step }) => n * step)),
    tie('e').map(squareRoot),
    tie('e').map(sign),
    fc
      .tuple(fc.constantFrom(add, subtract, multiply, divide), tie('e'), tie('e'))
      .map(([f, l, r]) => f(l, r)),
    tie('e').map((shared) => add(multiply(shared, shared), shared)),
  ),
})).e;

const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 9 });

test('random expressions', () => {
  fc.assert(
    fc.property(
      expressions,
      expressions,
      floats,
      floats,
      floats,
      fc.integer({ min: 1, max: 9 }),
      (x, y, a, b, c, at) => {
        const step = { step: at, learningRate: 0.5 };
        const given = new Map(Object.entries({ a, b, c }));
        const count = Math.max(a.length, b.length, c.length);
        const element = (i: number) => new Map(names.map((n) => [n, given.get(n)![i] ?? 0]));
        // Each result is written over an array that the other may read.
        const results = new Map([
          ['a', x],
          ['b', y],
        ]);
        for (const [sums, round] of [
          [new Map(), Math.fround],
          [new Map([['c', array('c')]]), asItIs],
        ] as const) {
          const kernel = compileKernel(results, sums);
          for (const [name, values] of kernel.arrays) values.fill(0).set(given.get(name)!);
          kernel.begin(step);
          kernel.run(count);
          for (let i = 0; i < count; i++)
            for (const [name, e] of results)
              expect(kernel.arrays.get(name)![i]).toEqual(Math.fround(evaluate(e, element(i), step, round)));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a whole run, and numbers that change with the step', () => {
  const kernel = compileKernel(
    new Map([
      [
        'a',
        multiply(
          array('a'),
          eachStep((s) => s.learningRate),
        ),
      ],
    ]),
  );
  const a = kernel.arrays.get('a')!;
  expect(a.length).toBe(RUN);
  a.set(a.map((_, i) => i));
  kernel.begin({ step: 1, learningRate: 2 });
  kernel.run(RUN);
  kernel.begin({ step: 2, learningRate: 0.25 });
  kernel.run(RUN);
  expect(a).toEqual(Float32Array.from({ length: RUN }, (_, i) => i / 2));
});
