import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestData } from '../../src/runtime/data/digest-data.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, jsonLines, rowsOf } from './files.ts';

const reference = (name: string) => readFileSync(new URL(`../reference/data/${name}`, import.meta.url));
const many = reference('many.jsonl.zst');
const rows = Array.from({ length: 20_000 }, (_, n) => ({ n, text: `row ${(n * 7919) % 20_000}` }));
const lines = jsonLines(rows);
const root = temporaryDirectory({
  'rows.jsonl.gz': gzipSync(lines),
  'two.jsonl.gz': Buffer.concat([gzipSync('{"n":1}\n'), gzipSync('{"n":2}\n')]),
  'named-plainly.jsonl': gzipSync('{"n":1}\n'),
  'table.csv.gz': gzipSync('a,b\n1,"x\ny"\n'),
  'list.json.gz': gzipSync('[{"n":1},{"n":2}]'),
  'note.txt.gz': gzipSync('some words'),
  'rows.jsonl.zst': reference('rows.jsonl.zst'),
  'many.jsonl.zst': many,
  'cut.jsonl.gz': gzipSync(lines).subarray(0, 50_000),
  'cut.jsonl.zst': many.subarray(0, 8_000),
  'damaged.jsonl.gz': damaged(gzipSync(lines), gzipSync(lines).length - 8, 4),
  'damaged.jsonl.zst': damaged(many, 6_000, 64),
  'plain.jsonl.gz': '{"n":1}\n',
  'empty.jsonl.gz': '',
  'nothing.jsonl.gz': gzipSync(''),
});

function damaged(bytes: Buffer, at: number, length: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = at; i < at + length; i++) copy[i] = copy[i]! ^ 0x5a;
  return copy;
}

const valuesOf = async (source: string, path: string) =>
  (await rowsOf(data(source, { path }), root)).map(({ value }) => value);

test('gzip and zstd are unpacked, whatever the file is called', async () => {
  expect(await valuesOf('jsonl', 'rows.jsonl.gz')).toEqual(rows);
  expect(await valuesOf('jsonl', 'two.jsonl.gz')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await valuesOf('jsonl', 'named-plainly.jsonl')).toEqual([{ n: 1 }]);
  expect(await valuesOf('csv', 'table.csv.gz')).toEqual([{ a: '1', b: 'x\ny' }]);
  expect(await valuesOf('json', 'list.json.gz')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await valuesOf('text', 'note.txt.gz')).toEqual([{ text: 'some words' }]);
  expect(await valuesOf('jsonl', 'rows.jsonl.zst')).toEqual([
    { n: 1, text: '头痛 é' },
    { n: 2, text: 'second' },
    { n: 3 },
  ]);
  const read = await valuesOf('jsonl', 'many.jsonl.zst');
  expect(read).toHaveLength(9000);
  expect(read[8999]).toEqual({ n: 8999, text: 'word81 word81 word81 word81 word81 word81 ' });
});

test.each([
  [
    'cut.jsonl.gz',
    'broken-data-file',
    /ends in the middle of its gzip data/,
    /^what comes before could be read: up to line \d{4,}$/,
  ],
  ['cut.jsonl.zst', 'broken-data-file', /ends in the middle of its zstd data/, /up to line \d{3,}$/],
  [
    'damaged.jsonl.gz',
    'broken-data-file',
    /its gzip data are damaged \(incorrect data check\)/,
    /up to line \d+$/,
  ],
  ['plain.jsonl.gz', 'broken-data-file', /it is called .gz, and does not begin as gzip does/, undefined],
  ['empty.jsonl.gz', 'empty-data', /holds no rows/, undefined],
  ['nothing.jsonl.gz', 'empty-data', /holds no rows/, undefined],
])('%s is refused', async (path, kind, message, note) => {
  const failure = await failureOf(data('jsonl', { path }), root);
  expect(failure.kind).toBe(kind);
  expect(failure.message).toMatch(message);
  expect(failure.notes.length).toBe(note === undefined ? 0 : 1);
  if (note !== undefined) expect(failure.notes[0]).toMatch(note);
});

test('damaged zstd without a checksum is noticed by what it holds, or by how it is packed', async () => {
  const failure = await failureOf(data('jsonl', { path: 'damaged.jsonl.zst' }), root);
  expect(['broken-data-file', 'bad-row', 'not-json']).toContain(failure.kind);
});

test('a digest is of the packed bytes', async () => {
  const { bytes, sha256 } = await digestData(data('jsonl', { path: 'rows.jsonl.gz' }), root);
  expect(bytes).toBe(gzipSync(lines).length);
  expect(sha256).not.toBe((await digestData(data('jsonl', { path: 'two.jsonl.gz' }), root)).sha256);
});
