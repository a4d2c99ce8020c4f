import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFiles } from '../../src/runtime/data/files/find-files.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, jsonLines, rowsOf } from './files.ts';

const root = temporaryDirectory({
  'notes/b.txt': 'second\n',
  'notes/a.txt': '\uFEFFfirst é\r\n患者',
  'notes/c.md': 'not matched',
  'notes/[x].txt': 'brackets',
  'rows.jsonl': '{"n":1}\n\n  {"n":2}\r\n{"n":3}',
  'broken.jsonl': '{"n":1}\n{"n":\n',
  'list.jsonl': '{"n":1}\n[1]\n',
  'null.jsonl': 'null\n',
  'empty.jsonl': '',
  'blank.jsonl': '\n \n',
  'blank.txt': ' \n\n',
  'binary.txt': Uint8Array.of(0x61, 0x0a, 0x00, 0x01, 0x0a),
  'latin.jsonl': Buffer.concat([Buffer.from('{"a":"x"}\n{"a":"'), Uint8Array.of(0xe9), Buffer.from('"}\n')]),
  'latin.csv': Buffer.concat([Buffer.from('a,b\n1,2\n'), Uint8Array.of(0xe9), Buffer.from(',4\n')]),
  'table.csv': '问题,回答\n"头痛, 怎么办？","喝水\n休息"\n\n发烧,"他说""好"""\n',
  'ragged.csv': 'a,b\n1,2\n1,2,3\n',
  'open.csv': 'a,b\n1,2\n3,"4\n5,6\n',
  'twice.csv': 'a,a\n1,2\n',
  'semicolon.csv': 'a;b\n1;2\n',
  'joined.csv': 'a,b\r\n1,"x\ny"\r\n\n2,z\n3,w\r\n',
});

const places = (rows: Awaited<ReturnType<typeof rowsOf>>) =>
  rows.map((r) => `${r.file.slice(root.length + 1)}:${r.line}`);

test('text: a file is a document, files come in the order of their names, a byte order mark is dropped', async () => {
  const rows = await rowsOf(data('text', { path: 'notes/{a,b}.txt' }), root);
  expect(rows.map((row) => row.value)).toEqual([{ text: 'first é\r\n患者' }, { text: 'second\n' }]);
  expect(places(rows)).toEqual(['notes/a.txt:1', 'notes/b.txt:1']);
  expect(await rowsOf(data('text', { path: 'notes/[x].txt' }), root)).toMatchObject([
    { value: { text: 'brackets' } },
  ]);
  expect(await rowsOf(data('text', { path: `${root}/notes/b.txt` }), '/')).toHaveLength(1);
});

test('jsonl: a row a line, blank lines passed over', async () => {
  const rows = await rowsOf(data('jsonl', { path: 'rows.jsonl' }), root);
  expect(rows.map((row) => row.value.n)).toEqual([1, 2, 3]);
  expect(places(rows)).toEqual(['rows.jsonl:1', 'rows.jsonl:3', 'rows.jsonl:4']);
});

test('csv: quotes, commas and line ends in fields, Chinese column names', async () => {
  const rows = await rowsOf(data('csv', { path: 'table.csv' }), root);
  expect(rows.map((row) => row.value)).toEqual([
    { 问题: '头痛, 怎么办？', 回答: '喝水\n休息' },
    { 问题: '发烧', 回答: '他说"好"' },
  ]);
  expect(places(rows)).toEqual(['table.csv:2', 'table.csv:5']);
  const semicolon = await rowsOf(data('csv', { path: 'semicolon.csv', delimiter: ';' }), root);
  expect(semicolon[0]!.value).toEqual({ a: '1', b: '2' });
  const joined = await rowsOf(data('csv', { path: 'joined.csv' }), root);
  expect(joined.map(({ value }) => `${value.a}${value.b}`)).toEqual(['1x\ny', '2z', '3w']);
});

test.each([
  ['a,b\r\n1,"x\ny"\r\n2,z\r\n3,w\r\n', [2, 4, 5]],
  ['a,b\r\n1,"x\r\ny"\r\n2,z\n3,w\r\n', [2, 4, 5]],
  ['a,b\n1,"x\ry"\n2,z\n3,w\n', [2, 4, 5]],
  ['a,b\n\n1,x\n\n\n2,z\n', [3, 6]],
  ['a\n"x\n\ny"\nz', [2, 5]],
])('csv: %j has rows in lines %j', async (text, expected) => {
  const there = temporaryDirectory({ 'a.csv': text });
  const rows = await rowsOf(data('csv', { path: 'a.csv' }), there);
  expect(rows.map(({ line }) => line)).toEqual(expected);
});

test('a directory without a fitting file is called so, and its files are offered', async () => {
  const directory = temporaryDirectory({ 'notes/a.txt': 'a', 'notes/b.md': 'b', 'notes/c.txt': 'c' });
  await expect(findFiles('notes', directory, ['jsonl', 'ndjson'])).rejects.toMatchObject({
    kind: 'missing-data-file',
    message: '`notes` is a directory without a .jsonl or .ndjson file in it',
    help: ['write `notes/*.md` or `notes/*.txt`'],
  });
});

test.each([
  ['jsonl', 'nowhere.jsonl', 'missing-data-file', 'nowhere.jsonl', /no file matches `nowhere.jsonl`/],
  ['text', 'notes/*.json', 'missing-data-file', 'notes/*.json', /no file matches/],
  ['jsonl', 'empty.jsonl', 'empty-data', 'empty.jsonl', /holds no rows/],
  ['jsonl', 'blank.jsonl', 'empty-data', 'blank.jsonl', /holds no rows/],
  ['text', 'blank.txt', 'empty-data', 'blank.txt', /holds no rows/],
  [
    'jsonl',
    'broken.jsonl',
    'not-json',
    'broken.jsonl:2',
    /broken.jsonl:2: this line is not JSON: unexpected end/,
  ],
  ['jsonl', 'list.jsonl', 'bad-row', 'list.jsonl:2', /a row is a JSON object, and this is a list/],
  ['jsonl', 'null.jsonl', 'bad-row', 'null.jsonl:1', /and this is null/],
  ['text', 'binary.txt', 'bad-row', 'binary.txt:2', /not text: the line has a zero byte/],
  ['jsonl', 'latin.jsonl', 'bad-row', 'latin.jsonl:2', /not UTF-8/],
  ['csv', 'ragged.csv', 'bad-row', 'ragged.csv:3', /has 3 fields, and the first line names 2 columns/],
  ['csv', 'open.csv', 'bad-row', 'open.csv:3', /a quoted field that begins here never ends/],
  ['csv', 'twice.csv', 'bad-row', 'twice.csv:1', /`a` is named twice/],
  ['csv', 'latin.csv', 'bad-row', 'latin.csv:3', /not UTF-8/],
  ['csv', 'broken.jsonl', 'bad-row', 'broken.jsonl:1', /a quote stands inside a field/],
])('%s of %s is refused: %s at %s', async (source, path, kind, place, message) => {
  const failure = await failureOf(data(source, { path }), root);
  expect([failure.name, failure.kind, failure.place]).toEqual(['DataError', kind, place]);
  expect(failure.message).toMatch(message);
  expect(failure.help.length).toBeGreaterThan(0);
});

test('a file with another ending is proposed', async () => {
  const failure = await failureOf(data('jsonl', { path: 'row.jsonl' }), root);
  expect(failure.help).toEqual(['did you mean `rows.jsonl`?']);
});

test('10 MB of noise are refused at once', async () => {
  const noise = temporaryDirectory({ 'noise.txt': crypto.getRandomValues(Buffer.alloc(65_536)) });
  expect((await failureOf(data('text', { path: 'noise.txt' }), noise)).kind).toBe('bad-row');
});

test('what is written as JSON lines is read back, whatever the text', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ a: fc.string({ unit: 'grapheme' }) }), { minLength: 1 }),
      async (rows) => {
        const here = temporaryDirectory({ 'rows.jsonl': jsonLines(rows) });
        const read = await rowsOf(data('jsonl', { path: 'rows.jsonl' }), here);
        expect(read.map((row) => row.value)).toEqual(rows);
      },
    ),
    { numRuns: 25 },
  );
});

test('the convention: the one file named like the stage', async () => {
  const beside = temporaryDirectory({
    'data/sft.jsonl': '{"prompt":"p","completion":"c"}\n',
    'data/pretrain.txt': 'words',
    'data/rm.jsonl': '{}',
    'data/rm.csv': 'a\n1\n',
  });
  const of = (stage: string) => data('convention', { stage });
  expect((await rowsOf(of('sft'), beside))[0]!.value).toEqual({ prompt: 'p', completion: 'c' });
  expect((await rowsOf(of('pretrain'), beside))[0]!.value).toEqual({ text: 'words' });
  expect((await failureOf(of('rm'), beside)).message).toContain('2 files fit: data/rm.jsonl, data/rm.csv');
  const none = await failureOf(of('ppo'), beside);
  expect(none.kind).toBe('no-convention-data');
  expect(none.notes).toEqual([
    'looked for: data/ppo.txt data/ppo.jsonl data/ppo.ndjson data/ppo.json data/ppo.csv data/ppo.tsv data/ppo.parquet',
  ]);
  expect(none.help[0]).toContain('ppo(data=jsonl("rows.jsonl"))');
});
