import { appendFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changedFile, countRows, digestData } from '../../src/runtime/data/digest-data.ts';
import { operators, sources } from '../../src/runtime/data/entries.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { data, jsonLines } from './files.ts';

test('a digest follows contents and operators, not names', async () => {
  const root = temporaryDirectory({ 'a.jsonl': jsonLines([{ n: 1 }, { n: 2 }]), 'c.csv': 'n\n1\n' });
  const of = (operatorList: Parameters<typeof data>[2] = [], path = 'a.jsonl') =>
    data('jsonl', { path }, operatorList);
  const first = await digestData(of(), root);
  expect(first).toEqual({
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    files: [join(root, 'a.jsonl')],
    bytes: 16,
  });
  expect((await digestData({ ...of(), name: 'other', span: { ...of().span, line: 9 } }, root)).sha256).toBe(
    first.sha256,
  );
  expect((await digestData(of([['split', { test: 0.1 }]]), root)).sha256).not.toBe(first.sha256);
  const mixed = await digestData(data('mix', {}, [], [of(), data('csv', { path: 'c.csv' })]), root);
  expect([mixed.bytes, mixed.files.length]).toEqual([20, 2]);
  const swapped = await digestData(data('mix', {}, [], [data('csv', { path: 'c.csv' }), of()]), root);
  expect(swapped.sha256).not.toBe(mixed.sha256);
  await rename(join(root, 'a.jsonl'), join(root, 'b.jsonl'));
  expect((await digestData(of([], 'b.jsonl'), root)).sha256).toBe(first.sha256);
  await appendFile(join(root, 'b.jsonl'), '{"n":3}\n');
  const longer = await digestData(of([], 'b.jsonl'), root);
  expect(longer.sha256).not.toBe(first.sha256);
  expect(longer.bytes).toBe(24);
  await expect(digestData(of([], 'gone.jsonl'), root)).rejects.toMatchObject({ kind: 'missing-data-file' });
});

test('of several files the one is named that changed, or is gone', async () => {
  const root = temporaryDirectory({ 'd/a.jsonl': jsonLines([{ n: 1 }]), 'd/b.jsonl': jsonLines([{ n: 2 }]) });
  const both = data('jsonl', { path: 'd' });
  const { sha256 } = await digestData(both, root);
  expect(await changedFile(both, root, sha256)).toBeUndefined();
  await appendFile(join(root, 'd/b.jsonl'), '{"n":3}\n');
  expect(await changedFile(both, root, sha256)).toBe(join(root, 'd/b.jsonl'));
  const { sha256: longer } = await digestData(both, root);
  await rm(join(root, 'd/b.jsonl'));
  expect(await changedFile(both, root, longer)).toBe(join(root, 'd/b.jsonl'));
});

test('a default written out changes nothing', async () => {
  const root = temporaryDirectory({ 'data/pretrain.txt': 'words' });
  const sha256 = async (expression: ReturnType<typeof data>) => (await digestData(expression, root)).sha256;
  const path = 'data/pretrain.txt';
  const short = await sha256(data('text', { path }, [['split', {}]]));
  expect(await sha256(data('text', { path, unit: 'block' }, [['split', { test: 0.05 }]]))).toBe(short);
  expect(await sha256(data('convention', { stage: 'pretrain' }, [['split', {}]]))).toBe(short);
  expect(await sha256(data('text', { path, unit: 'file' }, [['split', {}]]))).not.toBe(short);
});

test('rows are counted by side', async () => {
  const root = temporaryDirectory({ 'a.jsonl': jsonLines(Array.from({ length: 300 }, (_, n) => ({ n }))) });
  const { train, test } = await countRows(
    data('jsonl', { path: 'a.jsonl' }, [['split', { test: 0.2 }]]),
    root,
  );
  expect(train + test).toBe(300);
  expect(test).toBeGreaterThan(35);
  expect(test).toBeLessThan(85);
});

test('every source and operator documents itself', () => {
  expect(Object.keys(sources)).toEqual([
    ...['text', 'jsonl', 'json', 'csv', 'tsv', 'parquet', 'files', 'mix'],
  ]);
  expect(Object.keys(operators)).toEqual(['split', 'sample', 'columns', 'pairs', 'accepted']);
  for (const [name, entry] of Object.entries({ ...sources, ...operators })) {
    expect(entry.name).toBe(name);
    expect(entry.example).toContain(`${name}(`);
    for (const required of entry.required ?? []) expect(Object.keys(entry.options)).toContain(required);
  }
});
