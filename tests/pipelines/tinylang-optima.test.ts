import { describe, expect, it } from 'vitest';
import {
  adverbs,
  alignmentOptimum,
  dialectEntropy,
  dialectGapBefore,
  estimatedObjective,
  firstPositive,
  logProbabilities,
  negative,
  positive,
  pretrainEntropy,
  responseClasses,
} from './tinylang-optima.ts';

/** Every response as text: 5 beginnings × (12 + 12²·2 + 12³·4). */
function allResponses(): string[] {
  const adjectives = [...positive, ...negative];
  const further = (start: string[]) =>
    start.flatMap((s) => ['and', 'but'].flatMap((c) => adjectives.map((a) => `${s} ${c} ${a}`)));
  const two = further(adjectives);
  const bare = [...adjectives, ...two, ...further(two)];
  return [...bare, ...adverbs.flatMap((adverb) => bare.map((b) => `${adverb} ${b}`))];
}

// The expected numbers were computed apart from this file, by a Python script that lists the classes of responses.
describe('the optima of tinylang', () => {
  it('are the stated entropies', () => {
    expect(pretrainEntropy()).toBeCloseTo(6.466127491381608, 12);
    expect(dialectEntropy()).toBeCloseTo(6.290808041234871, 12);
    expect(dialectGapBefore()).toBeCloseTo(0.591, 3);
  });

  it('are the stated objective, reward and divergence at beta 0.5', () => {
    const { objective, reward, kl } = alignmentOptimum(0.5);
    expect(objective).toBeCloseTo(1.8366400231644768, 12);
    expect(reward).toBeCloseTo(2.780159151359803, 12);
    expect(kl).toBeCloseTo(1.8870382563906496, 12);
    expect(reward - 0.5 * kl).toBeCloseTo(objective, 12);
  });

  it('rest on probabilities that sum to one, for classes and for single responses', () => {
    const responses = allResponses();
    expect(responses).toHaveLength(5 * (12 + 288 + 6912));
    for (const first of Object.values(firstPositive)) {
      const classes = responseClasses(first).reduce((sum, c) => sum + c.probability, 0);
      const single = logProbabilities(responses, first).reduce((sum, p) => sum + Math.exp(p), 0);
      expect(classes).toBeCloseTo(1, 12);
      expect(single).toBeCloseTo(1, 10);
    }
  });

  it('agree with the entropy of single responses', () => {
    const entropies = Object.values(firstPositive).map((first) =>
      logProbabilities(allResponses(), first).reduce((sum, p) => sum - Math.exp(p) * p, 0),
    );
    expect(entropies.reduce((a, b) => a + b) / entropies.length).toBeCloseTo(pretrainEntropy(), 10);
  });

  it('give no probability to what is no response', () => {
    const texts = ['', 'very', 'good and', 'good good', 'good and nice', 'good or kind', 'good very'];
    expect(logProbabilities(texts, 0.8)).toEqual(texts.map(() => Number.NEGATIVE_INFINITY));
  });

  it('estimate the objective from rewards of samples', () => {
    expect(estimatedObjective([[1, 1], [3]], 0.5)).toBeCloseTo(2, 12);
    expect(estimatedObjective([[0, 1]], 1)).toBeCloseTo(Math.log((1 + Math.E) / 2), 12);
  });
});
