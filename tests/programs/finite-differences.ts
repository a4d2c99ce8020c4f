/** Gradients of a program against central differences, both in f64 by the reference kernels. */
import { expect } from 'vitest';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { Value } from '../../src/runtime/programs/kernels/value.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Node, Program } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { randomNumbers, randomTensor } from './random-tensors.ts';

const step = 1e-5;

const asF64 = (value: Tensor): Value =>
  value.dtype === 'f32' ? { ...value, data: Float64Array.from(value.data) } : value;

/** Σ y · (random numbers): a loss whose gradient is different everywhere. */
export function weightedSum(y: Node, seed: number): Node {
  const weights = randomTensor({ dtype: 'f32', shape: y.shape, low: -1, high: 1 }, randomNumbers(seed));
  return b.sum(b.mul(y, b.constant(weights)));
}

/** Checks every element of the gradients with respect to `names`; returns how many were checked. */
export function expectGradients(
  program: Program,
  feeds: ReadonlyMap<string, Tensor>,
  names: readonly string[],
): number {
  const differentiated = verifyProgram(differentiate(program, { loss: 'loss', withRespectTo: names }));
  const values = new Map([...feeds].map(([name, value]) => [name, asF64(value)]));
  const gradients = evaluate(differentiated, values, 'f64');
  const lossOf = (): number => evaluate(program, values, 'f64').get('loss')!.data[0]!;
  let checked = 0;
  for (const name of names) {
    const { data } = values.get(name)!;
    const gradient = gradients.get(`grad:${name}`)!;
    expect(gradient.shape).toEqual(values.get(name)!.shape);
    data.forEach((value, i) => {
      data[i] = value + step;
      const above = lossOf();
      data[i] = value - step;
      const below = lossOf();
      data[i] = value;
      const expected = (above - below) / (2 * step);
      const got = gradient.data[i]!;
      const near = Math.abs(got - expected) <= 1e-6 + 1e-6 * Math.abs(expected);
      if (!near) expect(got, `${program.name}: element ${i} of grad:${name}`).toBe(expected);
      checked++;
    });
  }
  return checked;
}
