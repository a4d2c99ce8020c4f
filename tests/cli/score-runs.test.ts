/** What a run made, scored: the same numbers as its stages computed, on both executables. */
import { expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { openAnyModel } from '../../src/runtime/run/open-model.ts';
import { type RewardScore, Scorer, type TokenScores } from '../../src/runtime/run/score.ts';
import { readScoreInput } from '../../src/runtime/run/score-input.ts';
import type { Policy, Reward } from '../../src/runtime/stages/stage.ts';
import { preferenceRows, sftRows } from '../run/tiny-data.ts';
import { TINY, workshops } from '../run/workshop.ts';

const workshop = workshops();

async function scored<T>(
  model: Policy | Reward,
  rows: readonly object[],
  executable: typeof onnx = onnx,
): Promise<T[]> {
  const scorer = new Scorer(model, executable);
  try {
    const inputs = rows.map((row, i) =>
      readScoreInput(JSON.stringify(row), { file: 'rows', line: i + 1 }, model),
    );
    return (await scorer.score(inputs)) as T[];
  } finally {
    await scorer.dispose();
  }
}

test('a run, its stages, and the reward model among them', async () => {
  const shop = workshop(
    `pretrain(${TINY.replace('context=32', 'context=64')} max_steps=2) → sft(max_steps=2 batch=4)
     → measured: eval(data=jsonl("data/sft.jsonl") split=all max_new_tokens=2) → rm(lora r=2; max_steps=2 batch=4)`,
  );
  const said = await shop.run();
  expect(said.end.status).toBe('ok');

  // The loss of the evaluation is that of its rows, each with the weight of its tokens.
  const policy = await openAnyModel('sft', shop.store);
  const rows = await scored<TokenScores>(policy, sftRows);
  const tokens = rows.reduce((sum, row) => sum + row.loss_tokens, 0);
  const loss = rows.reduce((sum, row) => sum + row.loss! * row.loss_tokens, 0) / tokens;
  expect(loss).toBeCloseTo(said.finished('measured').metrics.loss!, 5);

  const few = sftRows.slice(0, 3);
  const [fast, slow] = [
    await scored<TokenScores>(policy, few),
    await scored<TokenScores>(policy, few, reference),
  ];
  fast.forEach(({ logprobs }, i) => {
    for (const [t, p] of logprobs.entries()) expect(Math.abs(p - slow[i]!.logprobs[t]!)).toBeLessThan(2e-5);
  });

  const judge = await openAnyModel('latest/rm', shop.store);
  expect('score' in judge).toBe(true);
  const answers = preferenceRows.slice(0, 3).map(({ prompt, chosen }) => ({ prompt, completion: chosen }));
  const rewards = await scored<RewardScore>(judge, answers);
  const again = await scored<RewardScore>(judge, answers, reference);
  for (const [i, { reward }] of rewards.entries())
    expect(Math.abs(reward - again[i]!.reward)).toBeLessThan(2e-5);
  expect(new Set(rewards.map(({ reward }) => reward)).size).toBe(3);

  expect('score' in (await openAnyModel('latest', shop.store))).toBe(false);
  await expect(openAnyModel('latest/rn', shop.store)).rejects.toThrow(
    '`latest` has no stage `rn` with a policy or a reward',
  );
});
