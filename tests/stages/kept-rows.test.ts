/** What the plan says that rows take while a stage runs. */
import { expect, test } from 'vitest';
import { llama } from '../../src/runtime/models/llama.ts';
import { keptRows } from '../../src/runtime/stages/estimates/kept-rows.ts';
import { RowLengths } from '../../src/runtime/stages/estimates/row-lengths.ts';
import { stored } from './stored.ts';

const model = (vocabularySize: number) => ({
  family: llama,
  config: llama.configure({}, { vocabularySize, eos: 0, pad: 0 }),
  tokensPerByte: 0.3,
});

test('small rows lie in memory, large ones in a file; the index lies in memory', () => {
  const small = { tokens: 1600, rows: 10 };
  expect(keptRows(model(300), small)).toEqual({ memory: 10 * 20 + 2 * 1700, file: 0 });
  expect(keptRows(model(70_000), small)).toEqual({ memory: 10 * 20 + 4 * 1700, file: 0 });
  const large = { tokens: 2 ** 29, rows: 10 ** 6 };
  expect(keptRows(model(300), large, small)).toEqual({
    memory: 2 ** 26 + 20e6 + 200 + 3400,
    file: 2 ** 30 + 2 ** 26,
  });
  expect(keptRows(model(300), { tokens: 2 ** 29, rows: 0 })).toEqual({ memory: 2 ** 26, file: 2 ** 30 });
});

test('as many words are stored as are planned', () => {
  const one = { ids: Int32Array.of(1, 2, 3), supervised: Uint8Array.of(0, 1, 1) };
  const rows = stored(Array.from({ length: 5 }, () => one));
  expect([rows.count, [...rows.lengths], [...rows.learned]]).toEqual([5, [3, 3, 3, 3, 3], [2, 2, 2, 2, 2]]);
  expect(rows.read(4)).toEqual(one);
  const lengths = new RowLengths();
  for (let i = 0; i < 300; i++) lengths.push(i, 1, 'completion');
  expect([lengths.count, lengths.totalTokens, lengths.longest, lengths.kind]).toEqual([
    300,
    44_850,
    299,
    'completion',
  ]);
  expect([...lengths.map((tokens) => [2 * tokens, 0], 3).tokens]).toEqual([0, 2, 4]);
});
