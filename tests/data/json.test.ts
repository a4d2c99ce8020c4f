import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonElements } from '../../src/runtime/data/files/json-elements.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, rowsOf } from './files.ts';

const root = temporaryDirectory({
  'list.json': '\uFEFF[\n  {"n": 1, "t": "a, ] } \\" \\\\"},\r\n  {"n": 2, "l": [[1], {"x": []}]}\n]\n',
  'data.json':
    '{"version": "1.0", "tags": ["a", "b"], "data": [{"n": 1}, {"n": 2}], "more": {"list": [{"n": 9}]}}',
  'splits.json': '{"train": [{"n": 1}], "test": [{"n": 2}]}',
  'lines.json': '{"n": 1}\n{"n": 2}\n',
  'one.json': '{"rows": [{"n": 1}]}\n',
  'empty.json': '[]',
  'blank.json': ' \n',
  'nothing.json': '',
  'cut.json': '[{"n": 1}, {"n": 2}, {"n',
  'cut-between.json': '[{"n": 1}, {"n": 2}',
  'bad-row.json': '[{"n": 1}, {"n": 2, }, {"n": 3}]',
  'numbers.json': '[1, 2]',
  'lists.json': '[["a", "b"], ["c", "d"]]',
  'columns.json': '{"prompt": ["a", "b"], "completion": ["c", "d"]}',
  'text.json': '"only text"',
  'twice.json': '[{"n": 1}] [{"n": 2}]',
  'gap.json': '[{"n": 1},, {"n": 2}]',
  'end-comma.json': '[{"n": 1},]',
  'no-comma.json': '{"data": [{"n": 1}] "x": 1}',
  'latin.json': Buffer.concat([Buffer.from('[{"n": 1}, {"t": "'), Uint8Array.of(0xe9), Buffer.from('"}]')]),
  'utf16.json': Buffer.from('[{"n": 1}]', 'utf16le'),
  'half.json': '[{"n": 1}, {"t": ["ok", "half \\ud83d"]}]',
  'deep.json': `[{"n": 1}, {"t": ${'['.repeat(100_000)}${']'.repeat(100_000)}}]`,
});
const values = async (path: string, options = {}) =>
  (await rowsOf(data('json', { path, ...options }), root)).map(({ value }) => value);

test('a list of objects, and an object with one', async () => {
  const rows = await rowsOf(data('json', { path: 'list.json' }), root);
  expect(rows.map(({ value, line }) => [line, value])).toEqual([
    [1, { n: 1, t: 'a, ] } " \\' }],
    [2, { n: 2, l: [[1], { x: [] }] }],
  ]);
  expect(await values('data.json')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await values('one.json')).toEqual([{ n: 1 }]);
  expect(await values('splits.json', { field: 'test' })).toEqual([{ n: 2 }]);
});

test('an object on each line, as many such files are', async () => {
  expect(await values('lines.json')).toEqual([{ n: 1 }, { n: 2 }]);
});

test.each([
  ['empty.json', 'empty-data', /`empty.json` holds no rows|holds no rows/],
  ['blank.json', 'empty-data', /holds no rows/],
  ['nothing.json', 'empty-data', /holds no rows/],
  ['cut.json', 'broken-data-file', /cannot be read: it ends in the middle of its JSON/],
  ['cut-between.json', 'broken-data-file', /it ends in the middle of its JSON/],
  ['bad-row.json', 'not-json', /bad-row.json row 2: this row is not JSON: expected double-quoted property/],
  ['numbers.json', 'bad-row', /numbers.json row 1: a row is a JSON object, and this is a number/],
  ['lists.json', 'bad-row', /row 1: a row is a JSON object, and this is a list/],
  ['columns.json', 'broken-data-file', /an object with no list of objects among its values/],
  ['text.json', 'broken-data-file', /no JSON list and no JSON object/],
  ['twice.json', 'broken-data-file', /what stands around its rows is not JSON/],
  ['gap.json', 'bad-row', /row 2: a row is missing beside a comma/],
  ['end-comma.json', 'bad-row', /row 2: a row is missing beside a comma/],
  ['no-comma.json', 'broken-data-file', /what stands around its rows is not JSON/],
  ['latin.json', 'bad-row', /latin.json row 2: this is not UTF-8 text/],
  ['utf16.json', 'broken-data-file', /it is UTF-16 text/],
  ['half.json', 'bad-row', /row 2: the field `t` has half of a character/],
  ['deep.json', 'bad-row', /row 2: the field `t` is nested more than 64 deep/],
  ['splits.json', 'broken-data-file', /more than one list of objects: `train` and `test`/],
])('%s is refused: %s', async (path, kind, message) => {
  const failure = await failureOf(data('json', { path }), root);
  expect([failure.name, failure.kind]).toEqual(['DataError', kind]);
  expect(failure.message).toMatch(message);
  expect(failure.help.length).toBeGreaterThan(0);
});

test('the way out of several lists names the first', async () => {
  const failure = await failureOf(data('json', { path: 'splits.json' }), root);
  expect(failure.help[0]).toMatch(/^say which holds the rows: `json\(".*splits.json" field=train\)`$/);
});

test('rows are found however the file is cut into pieces', () => {
  const anyRow = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }));
  fc.assert(
    fc.property(
      fc.array(anyRow),
      fc.nat(7),
      fc.boolean(),
      fc.constantFrom(0, 1, 2),
      (rows, size, inObject, indent) => {
        const whole = inObject ? { a: { b: [1] }, 'x"y': rows, z: [1, 2] } : rows;
        const bytes = Buffer.from(JSON.stringify(whole, null, indent));
        const cutter = new JsonElements('x.json', inObject ? 'x"y' : undefined);
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += size + 1)
          found.push(...cutter.push(bytes.subarray(at, at + size + 1)));
        if (rows.length > 0 || !inObject) cutter.end();
        // JSON has no -0.
        expect(found.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(rows)));
      },
    ),
    { numRuns: 150 },
  );
});
