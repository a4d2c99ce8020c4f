/** The end of a run in words. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { plainStyle } from '../../src/cli/style.ts';
import { summarize } from '../../src/cli/summary.ts';
import { emptyView, reduce } from '../../src/cli/view-model.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';

const finished = { type: 'stage_finished', action: 'run', seconds: 1, metrics: {}, artifacts: {} } as const;
const samples = (step: number, prompt: string, completion: string): RunEvent => ({
  type: 'samples',
  stage: 'ppo',
  step,
  samples: [{ prompt, completion, reward: 1.4e-17 }],
});

const summary = (events: readonly RunEvent[]) =>
  summarize(
    [...events, { type: 'run_finished', run: 'r', status: 'ok', exit_code: 0, seconds: 1 } as const].reduce(
      (view, event) => reduce(view, event, 0),
      emptyView,
    ),
    { style: plainStyle, resume: 'ftc run a.ftp', store: '.ftc' },
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
