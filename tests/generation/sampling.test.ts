/** Sampling against the probabilities it should follow. */
import { expect, test } from 'vitest';
import { sampleToken } from '../../src/runtime/generation/sampling.ts';
import { random } from '../../src/runtime/random/random.ts';

const logits = Float32Array.of(0, 2, 1, -30, 1.5);

function frequencies(sampling: { temperature: number; topP?: number }): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  const stream = random(3, 'test');
  for (let i = 0; i < 40_000; i++) counts[sampleToken(logits, sampling, stream)]! += 1 / 40_000;
  return counts;
}

function softmax(temperature: number): number[] {
  const weights = [...logits].map((x) => Math.exp(x / temperature));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / total);
}

test.each([0.5, 1, 2])('temperature %d draws by the tempered probabilities', (temperature) => {
  const expected = softmax(temperature);
  frequencies({ temperature }).forEach((share, i) => {
    expect(Math.abs(share - expected[i]!)).toBeLessThan(0.01);
  });
});

test('top-p draws from the smallest set that reaches it', () => {
  const all = softmax(1);
  const kept = all[1]! + all[4]!;
  expect(kept).toBeGreaterThan(0.7);
  const shares = frequencies({ temperature: 1, topP: 0.7 });
  expect(shares[0]! + shares[2]! + shares[3]!).toBe(0);
  expect(Math.abs(shares[1]! - all[1]! / kept)).toBeLessThan(0.01);
});

test('of equally likely tokens the nucleus takes the first', () => {
  const flat = new Float32Array(10);
  const stream = random(5, 'flat');
  const drawn = Array.from({ length: 500 }, () => sampleToken(flat, { temperature: 1, topP: 0.25 }, stream));
  expect([...new Set(drawn)].sort()).toEqual([0, 1, 2]);
});

/** The nucleus by sorting everything. */
function sortedNucleus(values: Float32Array, temperature: number, topP: number, u: number): number {
  const largest = Math.max(...values);
  const weights = [...values].map((x) => Math.exp((x - largest) / (temperature + 1e-7)));
  const mass = topP * weights.reduce((a, b) => a + b);
  const order = weights.map((_, i) => i).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const kept: number[] = [];
  for (let sum = 0; sum < mass; sum += weights[kept.at(-1)!]!) kept.push(order[kept.length]!);
  const total = kept.reduce((sum, i) => sum + weights[i]!, 0);
  let sum = 0;
  return kept
    .sort((a, b) => a - b)
    .find((i) => {
      sum += weights[i]!;
      return sum > u * total;
    })!;
}

test.each([300, 6000])('%i tokens, flat or peaked, some equally likely: as by sorting everything', (size) => {
  const draw = random(11, 'logits');
  for (const spread of [0.01, 0.5, 3, 12]) {
    const values = Float32Array.from({ length: size }, () => Math.round(40 * spread * draw.normal()) / 40);
    for (const topP of [0.05, 0.5, 0.95, 0.9999])
      for (let i = 0; i < 5; i++) {
        const u = draw.uniform();
        const fixed = { ...random(0), uniform: () => u };
        expect(sampleToken(values, { temperature: 0.8, topP }, fixed)).toBe(
          sortedNucleus(values, 0.8, topP, u),
        );
      }
  }
});

test('temperature 0 takes the likeliest token, the first of equals', () => {
  expect(sampleToken(Float32Array.of(1, 3, 3), { temperature: 0 }, random(1))).toBe(1);
});

test('the same seed draws the same tokens', () => {
  const draw = (seed: number) => {
    const stream = random(seed, 'a');
    return Array.from({ length: 50 }, () => sampleToken(logits, { temperature: 1 }, stream));
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});
