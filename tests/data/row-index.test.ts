import { copyFileSync, existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DataExpression } from '../../src/compiler/graph/graph.ts';
import { indexRows } from '../../src/runtime/data/row-index.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, jsonLines, rowsOf } from './files.ts';

const values = Array.from({ length: 3000 }, (_, n) => ({
  n: String(n),
  text: `zeile ${n}, "é"\n頭 ${'x'.repeat(n % 7)}`,
}));
const csv = `\uFEFFn,text\r\n${values.map(({ n, text }) => `${n},"${text.replaceAll('"', '""')}"\r\n`).join('\n')}`;
const root = temporaryDirectory({
  'rows.jsonl': `\uFEFF${jsonLines(values).replaceAll('}\n{"n":"7', '}\n\n {"n":"7')}`,
  'rows.json': JSON.stringify({ data: values }, null, 1),
  'rows.csv': csv,
  'rows.jsonl.gz': gzipSync(jsonLines(values)),
  'notes.txt': 'one\n\ntwo',
});
copyFileSync(new URL('../reference/data/chats-zstd.parquet', import.meta.url), join(root, 'chats.parquet'));

const sources = ['rows.jsonl', 'rows.json', 'rows.csv', 'rows.jsonl.gz', 'chats.parquet', 'notes.txt'];
const copyOf = (name: string) => join(root, `${name}.copy`);

/** Every row by its number, in an order of its own, beside the rows as they stream. */
async function check(expression: DataExpression, name: string, isCopied: boolean) {
  const streamed = await rowsOf(expression, root, 'train');
  const index = await indexRows(expression, { root, split: 'train' }, copyOf(name));
  expect(index.length).toBe(streamed.length);
  for (let step = 0; step < streamed.length; step++) {
    const i = (step * 1009 + 500) % streamed.length;
    const { value, file, line } = streamed[i]!;
    expect(await index.read(i)).toEqual({ value, file, line });
  }
  await index.close();
  expect(existsSync(copyOf(name))).toBe(isCopied);
}

test.each(sources)('rows of %s by their number are those that stream', async (name) => {
  const isPlain = /\.(jsonl|json|csv)$/.test(name);
  await check(data('files', { path: name }), name, !isPlain);
});

test('what operators leave as it was stays in its file, and what they change is copied', async () => {
  await check(
    data('csv', { path: 'rows.csv' }, [
      ['split', { test: 0.3 }],
      ['sample', { rows: 500 }],
    ]),
    'split',
    false,
  );
  await check(data('csv', { path: 'rows.csv' }, [['columns', { prompt: 'text' }]]), 'columns', true);
  const both = data(
    'mix',
    {},
    [],
    [data('csv', { path: 'rows.csv' }), data('parquet', { path: 'chats.parquet' })],
  );
  await check(both, 'mix', true);
});

test('any rows are read back from where they stand', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 20 }),
      fc.constantFrom('\n', '\r\n'),
      async (rows, end) => {
        const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
        const lines = [['a', 'b'], ...rows].map((row) => `${row.map(quoted).join(',')}${end}`);
        const here = temporaryDirectory({ 'x.csv': lines.join('') });
        const expression = data('csv', { path: 'x.csv' });
        const index = await indexRows(expression, { root: here, split: 'all' }, join(here, 'copy'));
        for (const [i, [a, b]] of rows.entries()) expect((await index.read(i)).value).toEqual({ a, b });
        await index.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('a file that became shorter is said to be', async () => {
  const here = temporaryDirectory({ 'x.jsonl': jsonLines([{ n: 1 }, { n: 2 }]) });
  const index = await indexRows(
    data('jsonl', { path: 'x.jsonl' }),
    { root: here, split: 'all' },
    join(here, 'copy'),
  );
  truncateSync(join(here, 'x.jsonl'), 8);
  await expect(index.read(1)).rejects.toMatchObject({ kind: 'broken-data-file' });
  await expect(index.read(2)).rejects.toThrow('there is no row 2, but 2');
  await index.close();
});
