/** Moments in eight bits: the map, the rounding, and whole steps, against bitsandbytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adam8bit } from '../../src/runtime/optimizers/adam8bit.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { BLOCK, eightBit, unsignedDynamicMap } from '../../src/runtime/optimizers/eight-bit.ts';
import type { Optimizer } from '../../src/runtime/optimizers/optimizer.ts';
import { dynamicMap } from '../../src/runtime/quantization/code-tables.ts';
import { expectClose } from '../reference/close.ts';
import { bytesOf, floatsOf, numbers, trajectories } from '../reference/optimizer-trajectories.ts';

test('the map for numbers that are never negative has the bits that PyTorch gives it', () => {
  expect(unsignedDynamicMap).toEqual(floatsOf(trajectories.unsigned_dynamic_map));
});

test('five steps of 8-bit Adam: parameters, codes and scales', () => {
  const { count, seed, steps, scales, ...wanted } = trajectories.adam8bit;
  const optimizer = adam8bit({ weightDecay: trajectories.decay });
  const parameters = new Map([['p', numbers(seed, count, 0.5)]]);
  const state = optimizer.initialize(parameters);
  for (let step = 0; step < steps; step++) {
    const gradient = numbers(seed + 1 + step, count, 0.1).map(
      (g, i) => g * Math.fround(scales[Math.floor(i / BLOCK) % scales.length]!),
    );
    optimizer.update(parameters, new Map([['p', gradient]]), state, trajectories.learning_rate);
  }
  // Where the gradient is tiny a code that falls on the other side of a midpoint moves the parameter by more.
  expectClose(parameters.get('p')!, floatsOf(wanted.parameters), { relative: 2e-6, absolute: 1e-6 });
  const kept = (key: string) => state.moments.get(key) as Uint8Array | Float32Array;
  for (const letter of ['m', 'v'] as const) {
    const codes = bytesOf(wanted[letter]);
    const differing = codes.filter((code, i) => code !== kept(`${letter}:p`)[i]).length;
    expect(differing, `codes of ${letter}`).toBeLessThanOrEqual(count / 1000);
    // A block without gradients has scale 0 here, and scale 1 with codes of 0 there.
    const scale = floatsOf(wanted[`${letter}_absmax`]).map((s, i) => (i % scales.length === 4 ? 0 : s));
    expectClose(kept(`${letter}.absmax:p`), scale, { relative: 2e-6 }, `scales of ${letter}`);
  }
});

/** Mean squared error of y = W x after some steps on noisy rows, a new batch each. */
function regression(optimizer: Optimizer): number {
  const [outputs, inputs, rows] = [50, 100, 16];
  const truth = numbers(1, outputs * inputs, 1);
  const weights = numbers(2, outputs * inputs, 0.1);
  const parameters = new Map([['w', weights]]);
  const state = optimizer.initialize(parameters);
  const steps = 300;
  for (let step = 0; step < steps; step++) {
    const x = numbers(1000 + step, rows * inputs, 1);
    const noise = numbers(5000 + step, rows * outputs, 0.5);
    const gradient = new Float32Array(weights.length);
    for (let row = 0; row < rows; row++)
      for (let out = 0; out < outputs; out++) {
        let error = noise[row * outputs + out]!;
        for (let i = 0; i < inputs; i++)
          error += (weights[out * inputs + i]! - truth[out * inputs + i]!) * x[row * inputs + i]!;
        for (let i = 0; i < inputs; i++) gradient[out * inputs + i]! += (error * x[row * inputs + i]!) / rows;
      }
    optimizer.update(parameters, new Map([['w', gradient]]), state, 0.03 * (1 - step / steps));
  }
  return weights.reduce((sum, w, i) => sum + (w - truth[i]!) ** 2, 0) / weights.length;
}

test('a regression ends within 6 % of what adamw reaches', () => {
  const [single, eight] = [regression(adamw()), regression(adam8bit())];
  expect(single).toBeLessThan(0.05);
  expect(Math.abs(eight / single - 1)).toBeLessThan(0.06);
  expect(eight).not.toBe(single);
});

/** The nearest entry, by looking at all of them; the lower of two that are equally near. */
function nearest(map: Float32Array, value: number): number {
  let best = 0;
  for (let code = 1; code < 256; code++)
    if (Math.abs(map[code]! - value) < Math.abs(map[best]! - value)) best = code;
  return best;
}

describe.each([
  ['signed', true, dynamicMap],
  ['unsigned', false, unsignedDynamicMap],
] as const)('%s', (_, signed, map) => {
  const format = eightBit(signed);

  test('every code is the nearest; what is brought back is stored as the same codes', () => {
    const value = fc
      .tuple(fc.double({ min: -12, max: 0, noNaN: true }), fc.boolean())
      .map(([exponent, negative]) => Math.fround(10 ** exponent * (negative && signed ? -1 : 1)));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 600 }),
        fc.float({ min: 2 ** -60, max: 2 ** 60, noNaN: true }),
        (small, scale) => {
          const values = Float32Array.from(small, (v) => v * scale);
          const count = values.length;
          const parts = [new Uint8Array(count), new Float32Array(Math.ceil(count / BLOCK))] as const;
          format.store(values, parts, 0, count);
          for (let start = 0; start < count; start += BLOCK) {
            const block = values.subarray(start, start + BLOCK);
            const largest = block.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
            expect(parts[1][start / BLOCK]).toBe(largest);
            block.forEach((v, i) => {
              const scaled = Math.fround(v / largest);
              const [got, best] = [map[parts[0][start + i]!]!, map[nearest(map, scaled)]!];
              // Off by a rounding of the quotient at most.
              expect(Math.abs(got - scaled)).toBeLessThanOrEqual(
                Math.abs(best - scaled) + 2e-7 * Math.abs(scaled),
              );
            });
          }
          const back = new Float32Array(count);
          format.load(parts, 0, count, back);
          back.forEach((v, i) => {
            expect(v).toBe(Math.fround(map[parts[0][i]!]! * parts[1][Math.floor(i / BLOCK)]!));
          });
          const again = [new Uint8Array(count), new Float32Array(parts[1].length)] as const;
          format.store(back, again, 0, count);
          // Where the largest is negative it comes back as 0.993 of the scale, which then is another one.
          for (let start = 0; start < count; start += BLOCK)
            if (again[1][start / BLOCK] === parts[1][start / BLOCK])
              expect(again[0].subarray(start, start + BLOCK)).toEqual(
                parts[0].subarray(start, start + BLOCK),
              );
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a new state and a block of zeros are zeros', () => {
    const parts = [new Uint8Array(300), new Float32Array(2)] as const;
    const values = new Float32Array(300).fill(9);
    format.load(parts, 0, 300, values);
    expect(values.map(Math.abs)).toEqual(new Float32Array(300));
    format.store(values, parts, 0, 300);
    format.load(parts, 0, 300, values.fill(9));
    expect(values.map(Math.abs)).toEqual(new Float32Array(300));
  });
});
