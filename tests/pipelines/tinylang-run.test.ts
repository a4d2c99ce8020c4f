/** tinylang.ftp against the best that each stage can reach. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { promptCompletionOf } from '../../src/runtime/data/shapes.ts';
import { rowsOf } from './compile-pipeline.ts';
import { judge } from './reward-of.ts';
import { copyOf, type Recorded } from './run-pipeline.ts';
import { dialectPositive, estimatedObjective, firstPositive, logProbabilities } from './tinylang-optima.ts';

const lora = 'lora r=8 alpha=16 targets=q,v;';
const methods = { lora, full: 'full;', freeze: 'freeze layers=1;' };
const runs = new Map<string, Recorded>();
let measured: Row[];
let spoken: Row[];

/** A run's loss a response above −ln p of the very same responses: an estimate without sampling noise. */
function gap(loss: number, rows: readonly Row[], first: (noun: string) => number): number {
  const parts = rows.map((row) => {
    const example = promptCompletionOf(row);
    if (example.kind !== 'text') throw new Error('a row is a conversation');
    return { noun: example.prompt.split(' ')[1]!, response: example.completion.slice(1) };
  });
  // A token a word, and one for the end.
  const tokens = parts.reduce((sum, { response }) => sum + response.split(' ').length + 1, 0);
  const best = parts.reduce((sum, p) => sum - logProbabilities([p.response], first(p.noun))[0]!, 0);
  return (loss * tokens - best) / parts.length;
}

beforeAll(async () => {
  measured = await rowsOf('tinylang.ftp', 'language', 'all');
  spoken = await rowsOf('tinylang.ftp', 'spoken', 'test');
  const run = copyOf('tinylang.ftp', 'tinylang');
  runs.set('lora', await run([]));
  for (const [name, text] of Object.entries(methods)) {
    if (name === 'lora') continue;
    const change = (source: string) => {
      expect(source).toContain(lora);
      return source.replace(lora, text).replace('lr=5e-3', 'lr=1e-3');
    };
    runs.set(name, await run(['--until', 'spoken'], change));
  }
}, 600_000);

describe('tinylang.ftp', () => {
  it('pretrains to within 0.05 nats of the entropy', () => {
    expect(
      Math.abs(gap(runs.get('lora')!.metrics('language').loss!, measured, (noun) => firstPositive[noun]!)),
    ).toBeLessThan(0.05);
  });

  it.each(Object.keys(methods))('fine-tunes with %s to within 0.05 nats of the dialect', (method) => {
    const run = runs.get(method)!;
    expect(run.code).toBe(0);
    const before = run.before('sft').eval_loss!;
    expect(gap(before, spoken, () => dialectPositive)).toBeGreaterThan(0.4);
    expect(Math.abs(gap(run.metrics('spoken').loss!, spoken, () => dialectPositive))).toBeLessThan(0.05);
  });

  it('judges held-out pairs as the rule does', () => {
    expect(runs.get('lora')!.metrics('judged').reward_accuracy!).toBeGreaterThanOrEqual(0.99);
  });

  it('aligns to the optimum of reward minus divergence', async () => {
    const run = runs.get('lora')!;
    const beta = 0.3;
    const rewards = await judge(run.store, run.artifact('rm', 'reward'));
    // Reference samples: sft is within 0.05 nats of the dialect, so sentences of the dialect stand for its own.
    const answers = (await rowsOf('tinylang.ftp', 'sft', 'all')).map((row) => {
      const example = promptCompletionOf(row);
      if (example.kind !== 'text') throw new Error('a row is a conversation');
      return example;
    });
    const raw = await rewards(answers);
    // Scores are (reward − mean) / deviation of the first batch; both follow from two steps' means.
    const steps = run.steps('ppo');
    const [start, end] = [steps[0]!, steps.at(-1)!];
    const deviation =
      (end['reward/mean']! - start['reward/mean']!) / (end['objective/scores']! - start['objective/scores']!);
    const scores = raw.map((r) => (r - start['reward/mean']!) / deviation);
    const prompts = [...new Set(answers.map((answer) => answer.prompt))];
    const byPrompt = prompts.map((prompt) => scores.filter((_, i) => answers[i]!.prompt === prompt));
    const optimum = estimatedObjective(byPrompt, beta);
    const settled = steps.slice(-10).map((m) => m['objective/scores']! - beta * m['objective/kl']!);
    const objective = settled.reduce((sum, x) => sum + x, 0) / settled.length;
    expect(objective / optimum).toBeGreaterThan(0.93);
    expect(objective / optimum).toBeLessThan(1.07);
  });
});
