/** The end of a run in words. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { plainStyle } from '../../src/cli/style.ts';
import { type SummaryOptions, summarize } from '../../src/cli/summary.ts';
import { emptyView, reduce } from '../../src/cli/view-model.ts';
import { displayWidth } from '../../src/compiler/source/width.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';

const finished = { type: 'stage_finished', action: 'run', seconds: 1, metrics: {}, artifacts: {} } as const;
const samples = (step: number, prompt: string, completion: string): RunEvent => ({
  type: 'samples',
  stage: 'ppo',
  step,
  samples: [{ prompt, completion, reward: 1.4e-17 }],
});

const summary = (events: readonly RunEvent[], options: Partial<SummaryOptions> = {}) =>
  summarize(
    [...events, { type: 'run_finished', run: 'r', status: 'ok', exit_code: 0, seconds: 1 } as const].reduce(
      (view, event) => reduce(view, event, 0),
      emptyView,
    ),
    { style: plainStyle, resume: 'ftc run a.ftp', store: '.ftc', ...options },
  ).map((line) => line.trim());

test('an export is named by its directory', () => {
  const lines = summary([
    { type: 'stage_started', stage: 'export', kind: 'export', action: 'run', steps: 0 },
    { ...finished, stage: 'export', artifacts: { files: '28902a7db354' }, wrote: resolve('dist/a') },
  ]);
  expect(lines).toContain('exported  dist/a');
});

test('where no prompt was asked twice, the last answers are shown, without the marks of a template', () => {
  const lines = summary([
    { type: 'stage_started', stage: 'ppo', kind: 'ppo', action: 'run', steps: 2 },
    samples(0, '<|user|>First?<|end|><|assistant|>', 'early'),
    samples(1, '<|user|>Last?<|end|><|assistant|>', 'late<|end|>'),
    { ...finished, stage: 'ppo' },
  ]);
  expect(lines.slice(lines.indexOf('Samples') + 1)).toEqual(['› Last?', 'answer late (ppo, reward 0)']);
});

test('a cached gate says what it had found', () => {
  const lines = summary([
    { type: 'stage_started', stage: 'gate', kind: 'gate', action: 'cached', steps: 0 },
    { ...finished, stage: 'gate', action: 'cached', metrics: { 'quick.token_accuracy >= 0.5': 0.75 } },
  ]);
  expect(lines.slice(2)).toEqual(['= gate   cached', '✔ quick.token_accuracy >= 0.5  is 0.750']);
});

test('in a terminal no line is cut: figures that do not fit are left out, and texts end in …', () => {
  const metrics = { eval_loss: 0.25, initial_eval_loss: 6.5, eval_perplexity: 1.28, eval_accuracy: 0.9 };
  const events: RunEvent[] = [
    { type: 'stage_started', stage: 'ppo', kind: 'ppo', action: 'run', steps: 2 },
    samples(1, 'word '.repeat(30), '词语'.repeat(60)),
    { ...finished, stage: 'ppo', metrics },
  ];
  const lines = summary(events, { columns: 60 });
  expect(lines[2]).toBe('✔ ppo     1.0s  eval loss 6.500 → 0.250');
  expect(lines[5]).toMatch(/^› (word )+wor…$/);
  expect(lines[6]).toMatch(/^answer 词语.*… \(ppo, reward 0\)$/);
  for (const line of lines.slice(2, 7)) expect(displayWidth(line)).toBeLessThanOrEqual(58);
  const wide = summary(events);
  expect(wide[2]).toBe(
    '✔ ppo     1.0s  eval loss 6.500 → 0.250   eval perplexity 1.280   eval accuracy 0.900',
  );
});

test('what the live view has told is not told again; what was stopped and did not run is', () => {
  const events: RunEvent[] = [
    { type: 'run_started', run: 'r', pipeline: 'p', stages: ['sft', 'rm', 'ppo'], device: 'cpu' },
    { type: 'stage_started', stage: 'sft', kind: 'sft', action: 'run', steps: 2 },
    { ...finished, stage: 'sft' },
  ];
  expect(summary(events, { told: true }).slice(0, 4)).toEqual([
    'p finished after 1.0s',
    '',
    '· rm            did not run',
    '· ppo           did not run',
  ]);
});
