import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import { printProgram } from '../../src/runtime/programs/print.ts';
import { nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { optimize, rewrites } from '../../src/runtime/rewrites/optimize.ts';
import { expectClose } from '../executables/tolerances.ts';
import { randomProgram } from './random-programs.ts';
import { randomNumbers, randomTensor } from './random-tensors.ts';

const random = randomNumbers(11);
const shapes = { x: [2, 3], y: [3, 2], w: [2, 3] };
const feeds = new Map(
  Object.entries(shapes).map(([name, shape]) => [
    name,
    randomTensor({ dtype: 'f32', shape, low: -1, high: 1 }, random),
  ]),
);

function expectSameValues(before: Program, after: Program): void {
  const expected = evaluate(before, feeds, 'f64');
  const actual = evaluate(verifyProgram(after), feeds, 'f64');
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, value] of expected)
    expectClose(
      actual.get(name)!,
      value,
      { absolute: 1e-5, relative: 1e-5 },
      `${name} of\n${printProgram(before)}`,
    );
}

const sources = (program: Program) =>
  nodesOf(program).flatMap((n) => (n.op === 'input' || n.op === 'parameter' ? [n.attributes.name] : []));

/** The program with gradients towards what it reads. */
const withGradients = (program: Program): Program =>
  differentiate(program, { loss: 'loss', withRespectTo: [...new Set(sources(program))] });

describe('rewrites keep every output', () => {
  for (const rewrite of rewrites)
    test(rewrite.name, () => {
      fc.assert(
        fc.property(randomProgram, (program) => expectSameValues(program, rewrite.run(program))),
        { numRuns: 150 },
      );
    });

  test('all of them, after differentiation', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const gradients = withGradients(program);
        const optimized = optimize(gradients);
        expectSameValues(gradients, optimized);
        expect(nodesOf(optimized).length).toBeLessThanOrEqual(nodesOf(gradients).length);
      }),
      { numRuns: 200 },
    );
  });

  test('optimizing twice changes nothing', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const once = optimize(program);
        expect(printProgram(optimize(once))).toBe(printProgram(once));
      }),
      { numRuns: 100 },
    );
  });
});

describe('rewrites do their work', () => {
  const x = b.input('x', 'f32', [2, 3]);
  const y = b.input('y', 'f32', [2, 3]);
  const printed = (out: Parameters<typeof b.program>[1]) => printProgram(optimize(b.program('p', out)));

  test('the product takes transposes and scales', () => {
    expect(printed({ out: b.mul(b.matmul(x, b.transpose(y, [1, 0])), 0.5) })).toBe(
      [
        'program p',
        '  a: f32(2, 3) = input name=x',
        '  b: f32(2, 3) = input name=y',
        '  c: f32(2, 2) = matmul a b transposeB scale=0.5',
        '  out <- c',
        '',
      ].join('\n'),
    );
  });

  test('markers, neutral numbers and repeated work disappear', () => {
    const left = b.tanh(b.mul(b.stopGradient(x), 1));
    const right = b.tanh(b.add(b.reshape(b.reshape(x, [6]), [2, 3]), 0));
    expect(printed({ out: b.add(left, right) })).toBe(
      [
        'program p',
        '  a: f32(2, 3) = input name=x',
        '  b: f32(2, 3) = tanh a',
        '  c: f32(2, 3) = add b b',
        '  out <- c',
        '',
      ].join('\n'),
    );
  });

  test('constants are folded', () => {
    expect(printed({ out: b.mul(x, b.sqrt(b.mul(b.scalar(8), b.scalar(2)))) })).toContain(
      'constant value=4\n',
    );
  });
});
