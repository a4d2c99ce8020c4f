import { describe, expect, test } from 'vitest';
import * as b from '../../src/runtime/programs/builder.ts';
import { printProgram } from '../../src/runtime/programs/print.ts';
import type { Node } from '../../src/runtime/programs/program.ts';
import { ShapeError } from '../../src/runtime/programs/shapes.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';

const x = b.input('x', 'f32', [2, 3]);
const check = (out: Node) => () => verifyProgram(b.program('p', { out }));

describe('verifyProgram', () => {
  test('returns a program that keeps the contract', () => {
    const program = b.program('p', { out: b.softmax(b.add(x, 1)) });
    expect(verifyProgram(program)).toBe(program);
  });

  test('finds a wrong shape, type, operation or source', () => {
    const sum = b.add(x, 1);
    expect(check({ ...sum, shape: [3, 2] } as Node)).toThrow(
      'program p: add says f32(3, 2), its operands make f32(2, 3)',
    );
    expect(check({ ...sum, dtype: 'i32' } as Node)).toThrow('add says i32(2, 3)');
    expect(check({ ...sum, op: 'plus' } as unknown as Node)).toThrow(
      'plus is no operation of the closed set',
    );
    expect(check({ ...sum, inputs: [x, b.input('y', 'f32', [4])] } as unknown as Node)).toThrow(
      'add: (2,3) and (4) do not broadcast',
    );
    expect(check(b.add(x, b.input('x', 'f32', [3])))).toThrow('"x" is both input f32(2, 3) and input f32(3)');
    expect(check(b.input('', 'f32', [3]))).toThrow('input needs a name and no operands');
    expect(() => verifyProgram(b.program('empty', {}))).toThrow('program empty: it has no output');
  });
});

test('builders refuse what does not fit, naming the operation', () => {
  expect(() => b.matmul(x, x)).toThrow(new ShapeError('matmul: product of (2,3) and (2,3)'));
});

test('printing is stable and names nodes in order of use', () => {
  const program = b.program('toy', {
    loss: b.mean(b.matmul(x, b.parameter('w', [4, 3]), { transposeB: true }), [-1]),
    count: b.integers([1, 2, 3, 4, 5]),
  });
  expect(printProgram(program)).toBe(
    [
      'program toy',
      '  a: f32(2, 3) = input name=x',
      '  b: f32(4, 3) = parameter name=w',
      '  c: f32(2, 4) = matmul a b transposeB scale=1',
      '  d: f32(2) = mean c axes=(1)',
      '  e: i32(5) = constant value=[1, 2, 3, 4, …]',
      '  loss <- d',
      '  count <- e',
      '',
    ].join('\n'),
  );
});
