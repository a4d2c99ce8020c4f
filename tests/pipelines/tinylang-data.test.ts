import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { preferenceOf, promptCompletionOf, promptOf, textOf } from '../../src/runtime/data/shapes.ts';
import { rowsOf } from './compile-pipeline.ts';
import {
  dialectEntropy,
  dialectPositive,
  firstPositive,
  logProbabilities,
  negative,
  positive,
  pretrainEntropy,
} from './tinylang-optima.ts';

const nounOf = (prompt: string) => /^the (\w+) was$/.exec(prompt)![1]!;
const rewardOf = (response: string) =>
  response
    .split(' ')
    .reduce((sum, word) => sum + Number(positive.includes(word)) - Number(negative.includes(word)), 0);

/** Mean of −ln p over responses, and its standard error. */
function surprise(logs: readonly number[]) {
  const mean = -logs.reduce((sum, x) => sum + x, 0) / logs.length;
  const variance = logs.reduce((sum, x) => sum + (x + mean) ** 2, 0) / (logs.length - 1);
  return { mean, error: Math.sqrt(variance / logs.length) };
}
const logOf = (prompt: string, response: string) =>
  logProbabilities([response], firstPositive[nounOf(prompt)]!)[0]!;
const parts = (row: Row) => {
  const example = promptCompletionOf(row);
  if (example.kind !== 'text') throw new Error('a row is a conversation');
  return [example.prompt, example.completion.slice(1)] as const;
};

describe('the data of tinylang', () => {
  it('are sentences of the language, as surprising as its entropy', async () => {
    const rows = await rowsOf('tinylang.ftp', 'pretrain', 'all');
    const logs = rows.map((row) => {
      const [, prompt, response] = /^(the \w+ was) (.*)$/.exec(textOf(row))!;
      return logOf(prompt!, response!);
    });
    const { mean, error } = surprise(logs);
    expect(Math.abs(mean - pretrainEntropy())).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.03);
  });

  it('measure with responses of the language', async () => {
    const { mean, error } = surprise(
      (await rowsOf('tinylang.ftp', 'language', 'all')).map((row) => logOf(...parts(row))),
    );
    expect(Math.abs(mean - pretrainEntropy())).toBeLessThan(4 * error);
  });

  it('teach sft the dialect', async () => {
    const responses = (await rowsOf('tinylang.ftp', 'sft', 'all')).map((row) => parts(row)[1]);
    const { mean, error } = surprise(logProbabilities(responses, dialectPositive));
    expect(Math.abs(mean - dialectEntropy())).toBeLessThan(4 * error);
  });

  it('prefer the response with the higher reward', async () => {
    for (const row of await rowsOf('tinylang.ftp', 'rm', 'all')) {
      const pair = preferenceOf(row);
      if (pair.kind !== 'text') throw new Error('a row is a conversation');
      expect(rewardOf(pair.chosen)).toBeGreaterThan(rewardOf(pair.rejected));
    }
  });

  it('are split by row, so that frequent sentences stand on both sides', async () => {
    const [train, test] = [
      await rowsOf('tinylang.ftp', 'pretrain', 'train'),
      await rowsOf('tinylang.ftp', 'pretrain', 'test'),
    ];
    const known = new Set(train.map((row) => row.value.text));
    expect(test.filter((row) => known.has(row.value.text)).length).toBeGreaterThan(test.length / 4);
    for (const row of await rowsOf('tinylang.ftp', 'ppo', 'all')) {
      const prompt = promptOf(row);
      expect(prompt.kind === 'text' && nounOf(prompt.prompt) in firstPositive).toBe(true);
    }
  });
});
