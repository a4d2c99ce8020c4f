import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, sideOf } from '../../src/runtime/data/row-hash.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, failureOf, jsonLines, rowsOf } from './files.ts';

const numbers = Array.from({ length: 2000 }, (_, n) => ({ n, patient: n % 40 }));
const root = temporaryDirectory({
  'all.jsonl': jsonLines(numbers),
  'odd.jsonl': jsonLines(numbers.filter(({ n }) => n % 2 === 1).reverse()),
  'small.jsonl': jsonLines([{ n: 10_000 }, { n: 10_001 }, { n: 10_002 }]),
});
const all = data('jsonl', { path: 'all.jsonl' });
const ns = (rows: Awaited<ReturnType<typeof rowsOf>>) => rows.map((row) => row.value.n as number);

test('every row is on one side, about 5% are held out, and the order of the file stays', async () => {
  const [train, test, both] = await Promise.all([
    rowsOf(all, root, 'train'),
    rowsOf(all, root, 'test'),
    rowsOf(all, root, 'all'),
  ]);
  expect(ns(both)).toEqual(numbers.map(({ n }) => n));
  expect([...ns(train), ...ns(test)].sort((a, b) => a - b)).toEqual(ns(both));
  // 2000 · 5% = 100, deviation √(2000 · 0.05 · 0.95) ≈ 10
  expect(test.length).toBeGreaterThan(70);
  expect(test.length).toBeLessThan(130);
  expect(ns(train)).toEqual([...ns(train)].sort((a, b) => a - b));
});

test('a row keeps its side when others come or go, or its keys stand in another order', async () => {
  const heldOut = new Set(ns(await rowsOf(all, root, 'test')));
  const odd = ns(await rowsOf(data('jsonl', { path: 'odd.jsonl' }), root, 'test'));
  expect(odd.sort((a, b) => a - b)).toEqual([...heldOut].filter((n) => n % 2 === 1));
  expect(sideOf({ a: 1, b: [{ d: 2, c: 3 }] }, 0.5)).toBe(sideOf({ b: [{ c: 3, d: 2 }], a: 1 }, 0.5));
  expect(canonicalJson({ b: [{ d: 2, c: '患' }], a: null })).toBe('{"a":null,"b":[{"c":"患","d":2}]}');
});

test('a value’s text is that of JSON with its keys sorted, whatever they are called', () => {
  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    );
  const examples: [unknown][] = [
    [{ 10: 1, 9: { b: 1, a: [{ 1: 2, 0: 3 }] }, a: 4 }],
    [{ toJSON: 1, b: [null] }],
  ];
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(canonicalJson(value)).toBe(sorted(value));
    }),
    { examples: examples as never },
  );
});

test('split by a column keeps equal values together, at the share that is asked for', async () => {
  const by = data('jsonl', { path: 'all.jsonl' }, [['split', { test: 0.3, by: 'patient' }]]);
  const [train, held] = [await rowsOf(by, root, 'train'), await rowsOf(by, root, 'test')];
  const patients = (rows: typeof train) => new Set(rows.map((row) => row.value.patient));
  expect([...patients(train)].filter((p) => patients(held).has(p))).toEqual([]);
  expect(train.length + held.length).toBe(2000);
  expect(held.length % 50).toBe(0);
  expect(held.length / 2000).toBeGreaterThan(0.1);
  expect(held.length / 2000).toBeLessThan(0.5);
  const none = data('jsonl', { path: 'all.jsonl' }, [['split', { test: 0 }]]);
  expect(await rowsOf(none, root, 'test')).toEqual([]);
  const missing = await failureOf(data('jsonl', { path: 'all.jsonl' }, [['split', { by: 'patiant' }]]), root);
  expect(missing.message).toMatch(/all.jsonl:1: the row has no column `patiant`, .* did you mean `patient`/);
});

test('columns are renamed, others stay, the side stays that of the row in the file', async () => {
  const renamed = data('jsonl', { path: 'all.jsonl' }, [['columns', { prompt: 'n' }]]);
  const rows = await rowsOf(renamed, root, 'test');
  expect(rows[0]!.value).toEqual({
    prompt: rows[0]!.value.prompt,
    patient: Number(rows[0]!.value.prompt) % 40,
  });
  expect(rows.map((row) => row.value.prompt)).toEqual(ns(await rowsOf(all, root, 'test')));
  const swapped = data('jsonl', { path: 'small.jsonl' }, [['columns', { text: 'n', prompt: 'n' }]]);
  expect((await rowsOf(swapped, root))[0]!.value).toEqual({ text: 10_000, prompt: 10_000 });
  const missing = await failureOf(
    data('jsonl', { path: 'small.jsonl' }, [['columns', { prompt: '问题' }]]),
    root,
  );
  expect([missing.kind, missing.place]).toEqual(['bad-row', 'small.jsonl:1']);
});

test('a sample is of the size asked for, in order, the same every time, and grows by adding', async () => {
  const of = (rows: number, seed = 0) =>
    rowsOf(data('jsonl', { path: 'all.jsonl' }, [['sample', { rows, seed }]]), root);
  const [hundred, again, twoHundred, other] = [await of(100), await of(100), await of(200), await of(100, 1)];
  expect(hundred).toHaveLength(100);
  expect(ns(again)).toEqual(ns(hundred));
  expect(ns(hundred)).toEqual([...ns(hundred)].sort((a, b) => a - b));
  expect(ns(hundred).filter((n) => !ns(twoHundred).includes(n))).toEqual([]);
  expect(ns(other)).not.toEqual(ns(hundred));
  expect(await of(5000)).toHaveLength(2000);
  const train = await rowsOf(
    data('jsonl', { path: 'all.jsonl' }, [['sample', { rows: 100 }]]),
    root,
    'train',
  );
  expect(ns(train).filter((n) => !ns(hundred).includes(n))).toEqual([]);
});

test('mix: every row once, or in proportion with the smaller item repeated', async () => {
  const small = data('jsonl', { path: 'small.jsonl' }, [['split', { test: 0 }]]);
  const ten = data('jsonl', { path: 'all.jsonl' }, [
    ['split', { test: 0 }],
    ['sample', { rows: 10 }],
  ]);
  const once = ns(await rowsOf(data('mix', {}, [], [ten, small]), root, 'train'));
  expect(once.slice(-3)).toEqual([10_000, 10_001, 10_002]);
  expect(once).toHaveLength(13);
  const weighted = ns(await rowsOf(data('mix', { weights: [2, 1] }, [], [ten, small]), root, 'train'));
  const pattern = weighted.map((n) => (n >= 10_000 ? 's' : 'b')).join('');
  expect(pattern).toBe('bbsbbsbbsbbsbbs');
  expect(new Set(weighted).size).toBe(13);
  expect(await rowsOf(data('mix', { weights: [2, 1] }, [], [ten, small]), root, 'test')).toEqual([]);
  const wrong = await failureOf(data('mix', { weights: [1] }, [], [ten, small]), root);
  expect(wrong.message).toContain('2 data items and 1 weights');
});

test('mix keeps the sides of its items, and a split after it makes its own', async () => {
  const mixed = data('mix', {}, [], [all]);
  expect(ns(await rowsOf(mixed, root, 'test'))).toEqual(ns(await rowsOf(all, root, 'test')));
  const resplit = data('mix', {}, [['split', { test: 0.5 }]], [all]);
  const half = (await rowsOf(resplit, root, 'test')).length;
  expect(half).toBeGreaterThan(900);
  expect(half).toBeLessThan(1100);
});

const paragraph = (n: number) => `Paragraph ${n}. ${'患者 takes water. '.repeat(12 + (n % 9))}\n`;
const book = Array.from({ length: 400 }, (_, n) => `${paragraph(n)}\n`).join('');

test('one big text file has a held-out part in blocks, spread over the whole', async () => {
  const here = temporaryDirectory({ 'book.txt': book });
  const source = data('text', { path: 'book.txt' });
  const [whole, train, held] = [
    await rowsOf(source, here, 'all'),
    await rowsOf(source, here, 'train'),
    await rowsOf(source, here, 'test'),
  ];
  const length = (rows: typeof whole) => rows.reduce((n, row) => n + String(row.value.text).length, 0);
  expect(whole).toHaveLength(1);
  expect(whole[0]!.value.text).toBe(book);
  expect(length(train) + length(held)).toBe(book.length);
  expect(held.length).toBeGreaterThan(3);
  expect(length(held) / book.length).toBeGreaterThan(0.01);
  expect(length(held) / book.length).toBeLessThan(0.12);
  // In the order of their lines the pieces of both sides are the book again, each piece at its line.
  const pieces = [...train, ...held].sort((a, b) => a.line - b.line);
  expect(pieces.map((row) => row.value.text).join('')).toBe(book);
  for (const { line, value } of pieces) {
    const before =
      book
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    expect(book.startsWith(String(value.text), before)).toBe(true);
  }
  expect(train.every((row) => row.continues === undefined)).toBe(true);
  const file = data('text', { path: 'book.txt', unit: 'file' });
  expect((await rowsOf(file, here, 'train')).length + (await rowsOf(file, here, 'test')).length).toBe(1);
});

test('text that is added at the end moves no earlier block to the other side', async () => {
  const here = temporaryDirectory({
    'book.txt': book,
    'more.txt': `${book}${paragraph(9999)}\n\n${paragraph(7)}`,
  });
  const held = async (path: string) =>
    (await rowsOf(data('text', { path }), here, 'test')).map((row) => row.value.text as string);
  const more = await held('more.txt');
  for (const text of await held('book.txt'))
    expect(more.some((other) => other.includes(text.slice(0, 400)))).toBe(true);
});

test('blocks are the file again, whatever is in it: long lines, no lines, blank lines', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom('', '', ' ', '\r'),
    fc.integer({ min: 500, max: 30_000 }).map((n) => '😀患a'.repeat(n).slice(0, n - (n % 4))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 40 }), async (lines) => {
      const text = Buffer.from(
        lines
          .join('\n')
          .replaceAll('\0', '')
          .replace(/^\uFEFF/, ''),
      ).toString();
      fc.pre(text.trim() !== '' && !text.startsWith('\uFEFF'));
      const here = temporaryDirectory({ 'x.txt': text });
      const rows = await rowsOf(data('text', { path: 'x.txt' }), here);
      expect(rows.map((row) => row.value.text).join('')).toBe(text);
      const sides = [
        ...(await rowsOf(data('text', { path: 'x.txt' }, [['split', { test: 0.5 }]]), here, 'train')),
        ...(await rowsOf(data('text', { path: 'x.txt' }, [['split', { test: 0.5 }]]), here, 'test')),
      ];
      expect(sides.reduce((n, row) => n + String(row.value.text).length, 0)).toBe(text.length);
    }),
    { numRuns: 60 },
  );
});

test('text beyond a million characters comes in pieces that say they continue', async () => {
  const long = book.repeat(Math.ceil(2_500_000 / book.length));
  const here = temporaryDirectory({ 'long.txt': long });
  const rows = await rowsOf(data('text', { path: 'long.txt' }), here);
  expect(rows.map((row) => row.continues)).toEqual([undefined, true, true]);
  expect(rows.map((row) => row.value.text).join('')).toBe(long);
});
