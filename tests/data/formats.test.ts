import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestData } from '../../src/runtime/data/digest-data.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, rowsOf } from './files.ts';

const root = temporaryDirectory({
  'all/b.jsonl': '{"n":"jsonl"}\n',
  'all/a.json': '[{"n":"json"}]',
  'all/c.csv': 'n\ncsv\n',
  'all/d.tsv': 'n\tm\ntsv\t"a\tb"\n',
  'all/e.ndjson.gz': gzipSync('{"n":"gz"}\n'),
  'all/deeper/f.csv': 'n\ndeep\n',
  'all/README.md': '# not data',
  'all/.hidden.csv': 'n\nhidden\n',
  'text/note.txt': 'words',
  'utf16.csv': Buffer.from('\uFEFFa,b\r\n1,2\r\n', 'utf16le'),
  'utf16be.jsonl': Buffer.from('{"a": "no mark"}', 'utf16le').swap16(),
  'array.jsonl': '[{"n":1},\n{"n":2}]\n',
  'array-in-a-line.jsonl': '[{"n":1},{"n":2}]\n',
  'half.jsonl': '{"n":"fine"}\n{"n":"\\ude00 half"}\n',
  'zero.csv': 'a,b\n1,2\n3,\u00004\n',
  'bom.jsonl': '\uFEFF{"n":1}\r\n{"n":2}\r\n',
  'bom.tsv': '\uFEFF问题\t回答\r\nq\ta\r\n',
  'data/sft.csv.gz': gzipSync('prompt,completion\np,c\n'),
  'data/rm.json': '[{"prompt":"p"}]',
  'data/rm.json.gz': gzipSync('[{"prompt":"p"}]'),
});
mkdirSync(join(root, 'parquet'));
copyFileSync(
  new URL('../reference/data/chats-snappy.parquet', import.meta.url),
  join(root, 'parquet', 'train-00000-of-00001.parquet'),
);
const valuesOf = async (source: string, path: string) =>
  (await rowsOf(data(source, { path }), root)).map(({ value }) => value.n ?? value);

test('a directory is its files that fit, at any depth, in the order of their names', async () => {
  expect(await valuesOf('files', 'all')).toEqual(['json', 'jsonl', 'csv', 'tsv', 'deep', 'gz']);
  expect(await valuesOf('csv', 'all')).toEqual(['csv', 'deep']);
  expect(await valuesOf('jsonl', 'all/')).toEqual(['jsonl', 'gz']);
  expect(await valuesOf('parquet', 'parquet')).toHaveLength(40);
});

test('each format by its ending, text too', async () => {
  expect(await valuesOf('files', 'text/note.txt')).toEqual([{ text: 'words' }]);
  expect(await valuesOf('files', '{all/c,all/c,all/deeper/f}.csv')).toEqual(['csv', 'deep']);
  expect(await valuesOf('files', 'parquet/*.parquet')).toHaveLength(40);
  expect(await valuesOf('tsv', 'all/d.tsv')).toEqual(['tsv']);
  const failure = await failureOf(data('files', { path: 'all/README.md' }), root);
  expect(failure.message).toMatch(/its ending does not say what it holds/);
  expect(failure.help[0]).toMatch(
    /name the source, such as `jsonl\(".*README.md"\)`; known endings are .txt .jsonl/,
  );
});

test('a format that is chosen by the ending is part of the digest', async () => {
  const same = temporaryDirectory({ 'a.csv': 'n\n1\n', 'b.tsv': 'n\n1\n', 'c.csv': 'n\n1\n' });
  const of = async (path: string) => (await digestData(data('files', { path }), same)).sha256;
  expect(await of('a.csv')).toBe(await of('c.csv'));
  expect(await of('a.csv')).not.toBe(await of('b.tsv'));
});

test('byte order marks and carriage returns are no part of rows', async () => {
  expect(await valuesOf('jsonl', 'bom.jsonl')).toEqual([1, 2]);
  expect(await valuesOf('tsv', 'bom.tsv')).toEqual([{ 问题: 'q', 回答: 'a' }]);
});

test.each([
  ['csv', 'utf16.csv', 'broken-data-file', /cannot be read: it is UTF-16 text, and data are read as UTF-8/],
  ['jsonl', 'utf16be.jsonl', 'broken-data-file', /it is UTF-16 text/],
  ['jsonl', 'array.jsonl', 'broken-data-file', /it is one JSON list, and not an object on each line/],
  ['jsonl', 'array-in-a-line.jsonl', 'broken-data-file', /it is one JSON list/],
  ['jsonl', 'half.jsonl', 'bad-row', /half.jsonl:2: the field `n` has half of a character/],
  ['csv', 'zero.csv', 'bad-row', /zero.csv:3: this is not text: the line has a zero byte/],
  ['jsonl', 'text', 'missing-data-file', /`text` is a directory without a .jsonl or .ndjson file in it/],
])('%s of %s is refused', async (source, path, kind, message) => {
  const failure = await failureOf(data(source, { path }), root);
  expect(failure.kind).toBe(kind);
  expect(failure.message).toMatch(message);
});

test('UTF-16 says how to convert it', async () => {
  const { help } = await failureOf(data('csv', { path: 'utf16.csv' }), root);
  expect(help[0]).toMatch(/^convert it: `iconv -f UTF-16 -t UTF-8 .*utf16.csv > utf8-utf16.csv`$/);
});

test('a stage without data finds packed files; two that fit are an error', async () => {
  const of = (stage: string) => data('convention', { stage });
  expect((await rowsOf(of('sft'), root)).map(({ value }) => value)).toEqual([
    { prompt: 'p', completion: 'c' },
  ]);
  expect((await failureOf(of('rm'), root)).message).toMatch(/2 files fit: data\/rm.json, data\/rm.json.gz/);
});
