/** pipelines/medical.ftp whole: with its base in four bits as with lora, and its sft in eight bits as in f32. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptMedical } from '../pipelines/medical-acceptance.ts';
import { copyOf, type Recorded } from '../pipelines/run-pipeline.ts';
import { curveDistance } from './loss-curves.ts';
import { report } from './report.ts';

const runs = new Map<string, Recorded>();
beforeAll(async () => {
  const [one, other] = [copyOf('medical.ftp', 'medical'), copyOf('medical.ftp', 'medical')];
  runs.set('lora', await one([]));
  runs.set('qlora', await other(['--profile', 'qlora']));
  // What comes before sft is found.
  runs.set('int8', await one(['--until', 'quick', '--set', 'sft.precision=int8']));
});

describe.each(['lora', 'qlora'])('with %s', (method) => {
  acceptMedical(() => runs.get(method)!);

  afterAll(() => {
    const { metrics } = runs.get(method)!;
    report('medical', method, {
      'sft loss': metrics('sft').eval_loss!,
      quick: metrics('quick').accuracy!,
      rm: metrics('rm').eval_accuracy!,
      score: metrics('ppo')['objective/scores']!,
      kl: metrics('ppo')['objective/kl']!,
      after: metrics('after').accuracy!,
    });
  });
});

describe('sft with precision=int8', () => {
  const [f32, int8] = [() => runs.get('lora')!, () => runs.get('int8')!];

  it('has the loss curve of f32 to 2 %, and answers as well', () => {
    const losses = (run: Recorded) => run.steps('sft').map(({ loss }) => loss!);
    const apart = curveDistance(losses(f32()), losses(int8()));
    const [exact, other] = [f32(), int8()].map((run) => run.metrics('quick').loss!);
    report('medical', 'sft int8', { ...apart, f32: exact!, int8: other! });
    // Somewhere on the way ten steps may part a little further, and come back.
    expect(apart.curve).toBeLessThan(0.03);
    expect(apart.whole).toBeLessThan(0.02);
    expect(apart.end).toBeLessThan(0.02);
    expect(apart.curve).toBeGreaterThan(0);
    expect(Math.abs(other! / exact! - 1)).toBeLessThan(0.02);
    expect(int8().metrics('quick').accuracy!).toBeGreaterThanOrEqual(f32().metrics('quick').accuracy! - 0.01);
  });

  it('takes every product with a frozen weight in eight bits, each within 5 %', () => {
    const said = int8().events.flatMap((e) => (e.type === 'message' && e.stage === 'sft' ? [e.text] : []));
    const decided = said.filter((text) => text.startsWith('int8: '));
    expect(decided.length).toBeGreaterThan(0);
    for (const text of decided)
      expect(text).toMatch(/^int8: \d+ products with frozen weights, each within [\d.]+ % of f32$/);
  });
});
