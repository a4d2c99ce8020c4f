/** Schedules against Hugging Face's. */
import { describe, expect, test } from 'vitest';
import { type ScheduleOptions, scheduleFactor } from '../../src/runtime/optimizers/schedule.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';

const wsd = { kind: 'wsd', steps: 20, warmupSteps: 4, decaySteps: 8 } as const;
const cases: readonly (readonly [string, ScheduleOptions])[] = [
  ['linear_w5_t20', { kind: 'linear', steps: 20, warmupSteps: 5 }],
  ['linear_w0_t20', { kind: 'linear', steps: 20 }],
  ['cosine_w5_t20', { kind: 'cosine', steps: 20, warmupSteps: 5 }],
  ['cosine_minlr_w5_t20_rate0p1', { kind: 'cosine', steps: 20, warmupSteps: 5, minimum: 0.1 }],
  ['wsd_linear_w4_s8_d8', wsd],
  ['wsd_cosine_w4_s8_d8', { ...wsd, decay: 'cosine' }],
  ['wsd_1sqrt_w4_s8_d8_min0p1', { ...wsd, decay: '1-sqrt', minimum: 0.1 }],
];

describe.each(cases)('%s', (name, options) => {
  test('factor of every step', () => {
    // Step 21 of 20 is left out: Hugging Face's cosine rises again there, ours stays at its end.
    const expected = (vectors.schedules[name] as number[]).slice(0, 21);
    expectClose(
      expected.map((_, step) => scheduleFactor(step, options)),
      expected,
      { absolute: 1e-12 },
    );
  });
});

test('constant holds 1 after its warm-up; every schedule stays at its end', () => {
  const constant = { kind: 'constant', steps: 10, warmupSteps: 2 } as const;
  expect([0, 1, 2, 9, 50].map((step) => scheduleFactor(step, constant))).toEqual([0, 0.5, 1, 1, 1]);
  for (const kind of ['linear', 'cosine', 'wsd'] as const) {
    expect(scheduleFactor(100, { kind, steps: 10, minimum: 0.25 })).toBeCloseTo(0.25, 12);
  }
});

test('wsd decays over the last tenth unless told otherwise', () => {
  const factors = [89, 90, 91, 95, 100].map((step) => scheduleFactor(step, { kind: 'wsd', steps: 100 }));
  expectClose(factors, [1, 1, 0.9, 0.5, 0], { absolute: 1e-12 });
});
