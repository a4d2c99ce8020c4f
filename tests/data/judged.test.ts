import { expect, test } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, jsonLines, rowsOf } from './files.ts';

const judged = (prompt: string, completion: string, label: boolean) => ({ prompt, completion, label });
const user = { role: 'user', content: 'q' };
const root = temporaryDirectory({
  'judged.jsonl': jsonLines([
    judged('p', 'good 1', true),
    judged('q', 'only good', true),
    judged('p', 'good 2', true),
    judged('p', 'bad 1', false),
    judged('r', 'bad first', false),
    judged('p', 'bad 2', false),
    judged('r', 'good after', true),
    judged('p', 'bad 3', false),
  ]),
  'chats.jsonl': jsonLines([
    { messages: [user, { role: 'assistant', content: 'yes' }], label: true },
    { messages: [user, { role: 'assistant', content: 'no' }], label: false },
  ]),
  'good.jsonl': jsonLines([judged('p', 'a', true), judged('q', 'b', true)]),
  'plain.jsonl': jsonLines([{ prompt: 'p', completion: 'c' }]),
  'table.csv': 'prompt,completion,ok\np,yes,true\np,no,False\n',
});
const valuesOf = async (path: string, operator: string) =>
  (await rowsOf(data('jsonl', { path }, [[operator, {}]]), root)).map(({ value }) => value);

test('the first accepted answer to a prompt with the first that was turned down, and so on', async () => {
  expect(await valuesOf('judged.jsonl', 'pairs')).toEqual([
    { prompt: 'p', chosen: 'good 1', rejected: 'bad 1' },
    { prompt: 'p', chosen: 'good 2', rejected: 'bad 2' },
    { prompt: 'r', chosen: 'good after', rejected: 'bad first' },
  ]);
  expect(await valuesOf('chats.jsonl', 'pairs')).toEqual([
    {
      prompt: [user],
      chosen: [{ role: 'assistant', content: 'yes' }],
      rejected: [{ role: 'assistant', content: 'no' }],
    },
  ]);
});

test('labels under another name and as text', async () => {
  const expression = data('csv', { path: 'table.csv' }, [
    ['columns', { label: 'ok' }],
    ['pairs', {}],
  ]);
  expect((await rowsOf(expression, root)).map(({ value }) => value)).toEqual([
    { prompt: 'p', chosen: 'yes', rejected: 'no' },
  ]);
});

test('pairs of one prompt are on one side', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => judged(`p${i % 50}`, `c${i}`, i % 100 < 50));
  const here = temporaryDirectory({ 'x.jsonl': jsonLines(rows) });
  const sideOf = async (split: 'train' | 'test') =>
    new Set(
      (await rowsOf(data('jsonl', { path: 'x.jsonl' }, [['pairs', {}]]), here, split)).map(
        ({ value }) => value.prompt,
      ),
    );
  const [train, held] = [await sideOf('train'), await sideOf('test')];
  expect(train.size + held.size).toBe(50);
  expect([...held].filter((prompt) => train.has(prompt))).toEqual([]);
});

test('only accepted answers', async () => {
  expect((await valuesOf('judged.jsonl', 'accepted')).map(({ completion }) => completion)).toEqual([
    'good 1',
    'only good',
    'good 2',
    'good after',
  ]);
});

test('without a pair, or without labels, it is an error', async () => {
  const none = await failureOf(data('jsonl', { path: 'good.jsonl' }, [['pairs', {}]]), root);
  expect(none.kind).toBe('empty-data');
  expect(none.message).toMatch(/none of its 2 rows has a partner/);
  for (const operator of ['pairs', 'accepted']) {
    const failure = await failureOf(data('jsonl', { path: 'plain.jsonl' }, [[operator, {}]]), root);
    expect([failure.kind, failure.place]).toEqual(['bad-row', 'plain.jsonl:1']);
    expect(failure.message).toMatch(/has no `label`/);
  }
});
