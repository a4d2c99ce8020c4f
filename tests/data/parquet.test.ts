import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, rowsOf } from './files.ts';

const directory = new URL('../reference/data/', import.meta.url).pathname;
const expected = JSON.parse(readFileSync(`${directory}expected.json`, 'utf8'));
const rows = (path: string) => rowsOf(data('parquet', { path }), directory);
const bytesOf = (name: string) => readFileSync(`${directory}${name}`);
/** DuckDB writes 64-bit integers as text. */
const numbered = (row: { readonly id: string }) => ({ ...row, id: Number(row.id) });

test.each(['snappy', 'gzip', 'brotli', 'lz4_raw', 'uncompressed'])('pages packed as %s', async (codec) => {
  const read = await rows(`chats-${codec}.parquet`);
  expect(read.map(({ value }) => value)).toEqual(expected[`chats-${codec}.parquet`].map(numbered));
  expect(read.map(({ line }) => line)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

test('several groups of rows, packed as zstd', async () => {
  const read = await rows('chats-zstd.parquet');
  expect(read).toHaveLength(4200);
  for (const [i, row] of Object.entries(expected['chats-zstd.parquet'])) {
    expect(read[Number(i)]!.value).toEqual(numbered(row as { id: string }));
    expect(read[Number(i)]!.line).toBe(Number(i) + 1);
  }
});

test('values of all kinds are what JSON has for them', async () => {
  expect((await rows('types.parquet')).map(({ value }) => value)).toEqual([
    {
      text: 'a',
      big: 1,
      day: '2024-02-29T00:00:00.000Z',
      moment: '2024-02-29T12:30:00.000Z',
      list: [1, 2],
      rest: null,
      price: 1.5,
    },
    { text: null, big: '9007199254740993', day: null, moment: null, list: [], rest: 'x', price: 2.25 },
  ]);
});

test('bytes that are no text name their row', async () => {
  const failure = await failureOf(data('parquet', { path: 'not-utf8.parquet' }), directory.slice(0, -1));
  expect(failure.kind).toBe('bad-row');
  expect(failure.message).toMatch(/not-utf8.parquet row 2: the column `text` holds bytes that are not UTF-8/);
});

const zstd = bytesOf('chats-zstd.parquet');
/** The file with some of its bytes turned over. */
const damaged = (from: number, length: number) => {
  const bytes = Buffer.from(zstd);
  for (let i = from; i < from + length; i++) bytes[i] = bytes[i]! ^ 0xa5;
  return bytes;
};

test.each([
  ['cut off', zstd.subarray(0, 20_000), /is cut off: parquet ends with a footer/, []],
  ['not parquet', Buffer.from('{"text": "not parquet at all"}'), /does not begin as parquet does/, []],
  ['tiny', Buffer.from('PAR1'), /parquet footer is damaged/, []],
  [
    'a footer that lies',
    Buffer.from('PAR1....\xff\xff\xff\x7fPAR1', 'latin1'),
    /parquet footer is damaged/,
    [],
  ],
  [
    'a damaged footer',
    damaged(zstd.length - 300, 200),
    /cannot be read: its (parquet footer is|rows .* are) damaged/,
    [],
  ],
  [
    'a damaged page of the second group',
    damaged(12_500, 600),
    /its rows 2049 to 4096 are damaged/,
    ['what comes before could be read: up to row 2048'],
  ],
])('%s is refused', async (_, bytes, message, notes) => {
  const root = temporaryDirectory({ 'x.parquet': bytes });
  const failure = await failureOf(data('parquet', { path: 'x.parquet' }), root);
  expect(failure.message).toMatch(message);
  expect(failure.kind).toBe('broken-data-file');
  expect(failure.notes).toEqual(notes);
  expect(failure.help.length).toBe(1);
});
