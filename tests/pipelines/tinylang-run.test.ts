/** tinylang.ftp for a few steps: its parts fit together. What it reaches is in tests/proofs. */
import { expect, it } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { promptCompletionOf } from '../../src/runtime/data/shapes.ts';
import { rowsOf } from './compile-pipeline.ts';
import { copyOf, type Recorded } from './run-pipeline.ts';

const run = copyOf('tinylang.ftp', 'tinylang');
const actions = (recorded: Recorded) =>
  Object.fromEntries(
    recorded.events.flatMap((e) => (e.type === 'stage_started' ? [[e.stage, e.action]] : [])),
  );

/** A token a word, and one for the end. */
const responseTokens = (row: Row) => {
  const example = promptCompletionOf(row);
  if (example.kind !== 'text') throw new Error('a row is a conversation');
  return example.completion.trim().split(' ').length + 1;
};

it('runs every stage; every word of a response is a token, and so is its end', async () => {
  const whole = await run(['--profile', 'smoke']);
  expect(whole.code).toBe(0);
  const rows = await rowsOf('tinylang.ftp', 'language', 'all');
  const { supervised_tokens: tokens, rows: count, loss } = whole.metrics('language');
  expect(count).toBe(rows.length);
  expect(tokens).toBe(rows.reduce((sum, row) => sum + responseTokens(row), 0));
  expect(loss).toBeLessThan(Math.log(512));
  expect(whole.metrics('judged').reward_accuracy).toBeGreaterThan(0);
  expect(whole.steps('ppo')).toHaveLength(5);
  expect(whole.steps('ppo')[0]!['objective/kl']).toBeCloseTo(0, 4);

  const other = await run(['--profile', 'full', '--set', '*.max_steps=5', '--until', 'spoken']);
  expect(other.code).toBe(0);
  expect(actions(other)).toEqual({ pretrain: 'cached', language: 'cached', sft: 'run', spoken: 'run' });
  expect(other.artifact('sft', 'policy')).not.toBe(whole.artifact('sft', 'policy'));
}, 120_000);
