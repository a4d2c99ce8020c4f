/** SGD, Lion and Adafactor step by step, against PyTorch, transformers and Lion's paper. */
import { describe, expect, test } from 'vitest';
import { adafactor } from '../../src/runtime/optimizers/adafactor.ts';
import { lion } from '../../src/runtime/optimizers/lion.ts';
import type { Optimizer } from '../../src/runtime/optimizers/optimizer.ts';
import { sgd } from '../../src/runtime/optimizers/sgd.ts';
import { expectClose } from '../reference/close.ts';
import { gradientAt, trajectories } from '../reference/optimizer-trajectories.ts';

const { shapes: shapeTable, learning_rate: rate, decay: weightDecay, start, cases } = trajectories;
const shapes = new Map(Object.entries(shapeTable));
const decays = (name: string) => name === 'matrix';

const made: { readonly [name: string]: Optimizer } = {
  sgd: sgd(),
  'sgd momentum decay': sgd({ momentum: 0.9, weightDecay, decays }),
  'sgd nesterov': sgd({ momentum: 0.9, nesterov: true }),
  'lion decay': lion({ weightDecay, decays }),
  'adafactor decay': adafactor({ shapes, weightDecay, decays }),
  'adafactor beta1': adafactor({ shapes, beta1: 0.9 }),
  'adafactor clip 0.5 rate 0.6': adafactor({ shapes, updateClip: 0.5, decayRate: 0.6 }),
  'adafactor scale': adafactor({ shapes, scaleParameter: true }),
};

test('every case of the reference is looked at', () => {
  expect(Object.keys(made)).toEqual(Object.keys(cases));
});

describe.each(Object.entries(made))('%s', (name, optimizer) => {
  test('parameters after each step', async () => {
    const parameters = new Map(Object.entries(start).map(([n, v]) => [n, Float32Array.from(v)]));
    const state = optimizer.initialize(parameters);
    for (const [step, wanted] of cases[name]!.entries()) {
      const gradients = new Map([...shapes.keys()].map((tensor) => [tensor, gradientAt(tensor, step)]));
      await optimizer.update(parameters, gradients, state, rate);
      for (const [tensor, values] of parameters)
        expectClose(values, wanted[tensor]!, { relative: 2e-6, absolute: 2e-7 }, `${tensor} at ${step}`);
    }
  });
});
