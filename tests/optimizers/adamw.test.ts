/** AdamW and coupled Adam, step by step, against PyTorch. */
import { describe, expect, test } from 'vitest';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { chain } from '../../src/runtime/optimizers/chain.ts';
import type { Optimizer } from '../../src/runtime/optimizers/optimizer.ts';
import { adamMoments, decoupledDecay, learningRate } from '../../src/runtime/optimizers/pieces.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';

interface Case {
  readonly name: string;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly params_after_each_step: number[][];
  readonly exp_avg: number[];
  readonly exp_avg_sq: number[];
}

function build({ name, betas: [beta1, beta2], eps: epsilon, weight_decay: weightDecay }: Case): Optimizer {
  const moments = { beta1, beta2, epsilon };
  // The same pieces in another order: decay before the moments is the L2 penalty.
  return name === 'adam_l2_coupled'
    ? chain(decoupledDecay(weightDecay), adamMoments(moments), learningRate)
    : adamw({ ...moments, weightDecay });
}

describe.each(vectors.adamw.cases as Case[])('$name', (wanted) => {
  test('parameters after each step, moments after the last', () => {
    const optimizer = build(wanted);
    const parameters = new Map([['p', Float32Array.from(vectors.adamw.p0)]]);
    const state = optimizer.initialize(parameters);
    (vectors.adamw.grads as number[][]).forEach((gradient, step) => {
      optimizer.update(parameters, new Map([['p', Float32Array.from(gradient)]]), state, wanted.lr);
      const after = wanted.params_after_each_step[step]!;
      expectClose(parameters.get('p')!, after, { relative: 2e-6, absolute: 1e-8 }, `step ${step}`);
    });
    expect(state.step).toBe(5);
    expectClose(
      state.moments.get('m:p') as Float32Array,
      wanted.exp_avg,
      { relative: 2e-6, absolute: 2e-8 },
      'm',
    );
    expectClose(state.moments.get('v:p') as Float32Array, wanted.exp_avg_sq, { relative: 2e-6 }, 'v');
  });
});

test('a tensor longer than a run of the chain gets the same update everywhere', () => {
  const optimizer = adamw({ weightDecay: 0.1 });
  const parameters = new Map([['p', new Float32Array(10_000).fill(0.5)]]);
  const state = optimizer.initialize(parameters);
  optimizer.update(parameters, new Map([['p', new Float32Array(10_000).fill(3)]]), state, 0.01);
  expect(new Set(parameters.get('p'))).toEqual(new Set([Math.fround(0.5 - 0.01 * (1 + 0.1 * 0.5))]));
});

test('tensors that do not decay, tensors without a gradient', () => {
  const optimizer = adamw({ weightDecay: 1, decays: (name) => name.endsWith('weight') });
  const names = ['a.weight', 'a.bias', 'still.weight'];
  const parameters = new Map(names.map((name) => [name, Float32Array.of(2)]));
  const gradients = new Map(names.slice(0, 2).map((name) => [name, Float32Array.of(0)]));
  const state = optimizer.initialize(parameters);
  optimizer.update(parameters, gradients, state, 0.5);
  expect(names.map((name) => parameters.get(name)![0])).toEqual([1, 2, 2]);
  expect(optimizer.stateBytes(new Map([['a.weight', [10, 100]]]))).toEqual({ memory: 8000, file: 0 });
});

test('a gradient of another size is an error that names the tensor', () => {
  const optimizer = adamw();
  const parameters = new Map([['layer.weight', new Float32Array(3)]]);
  const wrong = new Map([['layer.weight', new Float32Array(4)]]);
  expect(() => optimizer.update(parameters, wrong, optimizer.initialize(parameters), 1)).toThrow(
    'the gradient of layer.weight has 4 elements, the tensor has 3',
  );
});
