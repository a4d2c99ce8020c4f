/** What plans found in large data is found again without reading it, as long as the data are the same. */
import { mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Job } from '../../src/compiler/graph/graph.ts';
import { keptPasses } from '../../src/runtime/run/kept-passes.ts';
import { watchRows } from '../../src/runtime/run/rows-read.ts';
import { RowLengths } from '../../src/runtime/stages/estimates/row-lengths.ts';
import type { EstimateContext } from '../../src/runtime/stages/stage.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const rows = [
  { instruction: 'Add 1 and 2.', input: '', output: '3', id: 7 },
  { instruction: 'Name it.', input: 'a fox', output: 'Fox', id: 8 },
];
const digests = { data: 'd1' };

/** One plan of a stage: what it found, and how often it read the rows. */
async function plan(
  store: string,
  { slow = 0, data = digests, as = ['completion'], isChanged = false } = {},
) {
  let read = 0;
  const context = {
    async *rows() {
      read++;
      for (const [i, value] of rows.entries()) yield { value, file: 'x.jsonl', line: i + 1 };
    },
    lengths: (_: string, __: string, ___: unknown, make: () => Promise<RowLengths>) => make(),
  } as unknown as EstimateContext;
  const kept = keptPasses(store, data, async () => isChanged);
  const watched = watchRows({ id: 'sft', kind: 'sft' } as Job, context, kept, slow);
  const lengths = await watched.context.lengths('data', 'train', as, async () => {
    const found = new RowLengths();
    for await (const { line } of watched.context.rows('data', 'train'))
      found.push(10 * line, line, 'completion');
    return found;
  });
  const { tokens, learned, kind } = lengths;
  return { read, found: { tokens, learned, kind, notes: watched.notes(), defaults: watched.defaults() } };
}

test('a second plan reads nothing and says the same', async () => {
  const store = temporaryDirectory();
  const first = await plan(store);
  expect(first.read).toBe(1);
  expect([...first.found.tokens]).toEqual([10, 20]);
  expect(first.found.notes).toEqual([
    'data is Alpaca: 2 rows to train on',
    'columns of data that nothing reads: id',
  ]);
  const second = await plan(store);
  expect(second).toEqual({ read: 0, found: first.found });
});

test('other data, or read in another way, are read', async () => {
  const store = temporaryDirectory();
  await plan(store);
  expect((await plan(store, { data: { data: 'd2' } })).read).toBe(1);
  expect((await plan(store, { as: ['prompt'] })).read).toBe(1);
  expect(readdirSync(join(store, 'passes')).length).toBe(3);
});

test('what was read of data that changed meanwhile is not kept', async () => {
  const store = temporaryDirectory();
  await plan(store, { isChanged: true });
  expect(readdirSync(store)).toEqual([]);
});

test('what is read in no time is not kept, nor where there is no store; what was cut off is read again', async () => {
  const store = temporaryDirectory();
  await plan(store, { slow: 60_000 });
  expect(readdirSync(store)).toEqual([]);
  const none = join(store, 'none');
  await plan(none);
  expect(readdirSync(store)).toEqual([]);
  mkdirSync(none);
  const { found } = await plan(none);
  const [name] = readdirSync(join(none, 'passes'));
  truncateSync(join(none, 'passes', name!), 100);
  expect(await plan(none)).toEqual({ read: 1, found });
});
