/** Clipping against PyTorch's clip_grad_norm_. */
import { describe, expect, test } from 'vitest';
import { clipGradients } from '../../src/runtime/optimizers/clip.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';

interface Case {
  readonly max_norm: number;
  readonly total_norm: number;
  readonly a: number[][];
  readonly b: number[];
}

const gradients = () =>
  new Map([
    ['a', Float32Array.from((vectors.grad_clip.a as number[][]).flat())],
    ['b', Float32Array.from(vectors.grad_clip.b)],
  ]);

describe.each(vectors.grad_clip.cases as Case[])('largest norm $max_norm', (wanted) => {
  test('norm before, gradients after', () => {
    const clipped = gradients();
    expectClose([clipGradients(clipped, wanted.max_norm)], [wanted.total_norm], { relative: 1e-7 });
    expectClose(clipped.get('a')!, wanted.a.flat(), { relative: 2e-6 });
    expectClose(clipped.get('b')!, wanted.b, { relative: 2e-6 });
  });
});

test('0 clips nothing; a norm that is not finite is returned', () => {
  const whole = gradients();
  clipGradients(whole, 0);
  expect(whole).toEqual(gradients());
  expect(clipGradients(new Map([['a', Float32Array.of(1, Number.NaN)]]), 1)).toBeNaN();
});

test('tensors of every length: the norm of the definition, each element scaled once', () => {
  const sizes = [1, 3, 8, 2047, 2048, 2049, 8191, 8192, 8193, 20_001];
  const made = sizes.map((size) => Float32Array.from({ length: size }, (_, i) => Math.sin(i + size)));
  const gradients = new Map(made.map((values, i) => [`${i}`, values.slice()]));
  const norm = Math.sqrt(made.flatMap((values) => [...values]).reduce((sum, g) => sum + g * g, 0));
  expectClose([clipGradients(gradients, 2)], [norm], { relative: 1e-12 });
  const factor = Math.fround(2 / (norm + 1e-6));
  for (const [i, values] of made.entries())
    expect(gradients.get(`${i}`)).toEqual(values.map((g) => g * factor));
});
