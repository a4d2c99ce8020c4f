import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/runtime/store/store.ts';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';
import { newStorePath, putFiles, withStore } from './directories.ts';

const key = (name: string) => `sha256:${createHash('sha256').update(name).digest('hex')}`;

test('a result is found by its key, its artifact by the hash of what is in it', async () => {
  const path = newStorePath();
  const parts = { job: { a: 1 }, inputs: {}, data: {}, executable: 'onnx' };
  await withStore(path, async (store) => {
    const directory = writeFiles(await store.temporaryDirectory(), { 'b/c.txt': 'x', 'a.json': '{}' });
    const artifacts = await store.put(key('one'), {
      ...{ stage: 'sft', kind: 'sft', directories: new Map([['policy', directory]]), parts },
      metrics: { loss: 0.1, perplexity: Number.POSITIVE_INFINITY, kl: Number.NaN },
    });
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const list = [
      ['a.json', 2, hash('{}')],
      ['b/c.txt', 1, hash('x')],
    ];
    expect(artifacts).toEqual({ policy: hash(JSON.stringify(list)) });
    expect(existsSync(directory)).toBe(false);
  });
  const store = await openStore(path, { write: false });
  const found = await store.find(key('one'));
  expect(found).toMatchObject({ key: key('one'), stage: 'sft', kind: 'sft', parts });
  expect(found!.metrics).toEqual({ loss: 0.1, perplexity: Number.POSITIVE_INFINITY, kl: Number.NaN });
  expect(await readFile(join(store.artifact(found!.artifacts.policy!), 'b/c.txt'), 'utf8')).toBe('x');
  expect(await store.find(key('two'))).toBeUndefined();
  expect((await readdir(path)).sort()).toEqual(['.gitignore', 'objects', 'results', 'temporary', 'version']);
});

test('equal artifacts are kept once', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    const [a, b] = [await putFiles(store, key('a'), { x: '1' }), await putFiles(store, key('b'), { x: '1' })];
    expect(a).toBe(b);
    expect(await putFiles(store, key('c'), { y: '1' })).not.toBe(a);
  });
  expect(await readdir(join(path, 'objects/sha256'))).toHaveLength(2);
});

test('damaged and missing artifacts are noticed when they are read', async () => {
  const path = newStorePath();
  const hash = await withStore(path, (store) =>
    putFiles(store, key('a'), { 'model.safetensors': 'weights' }),
  );
  const read = () => openStore(path, { write: false });
  expect(existsSync((await read()).artifact(hash))).toBe(true);
  await writeFile(join(path, 'objects/sha256', hash, 'model.safetensors'), 'weighty');
  const damaged = await read();
  expect(() => damaged.artifact(hash)).toThrow(expect.objectContaining({ kind: 'damaged' }));
  expect(() => damaged.artifact(hash)).toThrow(/is damaged: its bytes are not those that were written/);
  await rm(join(path, 'objects/sha256', hash), { recursive: true });
  expect(() => damaged.artifact(hash)).toThrow(/is missing/);
  expect(await damaged.find(key('a'))).toBeUndefined();
  expect(() => damaged.artifact('../../etc')).toThrow(expect.objectContaining({ kind: 'misuse' }));
});

test('reading needs no store and makes none; writing through it is refused', async () => {
  const path = newStorePath();
  const store = await openStore(path, { write: false });
  expect(await store.find(key('a'))).toBeUndefined();
  expect(await store.runs()).toEqual([]);
  expect(await store.earlier('sft', 'sft')).toEqual([]);
  await expect(store.workDirectory(key('a'))).rejects.toMatchObject({ kind: 'misuse' });
  await expect(
    store.put(key('a'), { stage: 's', kind: 's', directories: new Map(), metrics: {} }),
  ).rejects.toThrow('reading');
  expect(existsSync(path)).toBe(false);
});

test('a store of another version is left alone', async () => {
  const path = newStorePath();
  writeFiles(path, { version: '2\n' });
  for (const write of [false, true]) {
    await expect(openStore(path, { write })).rejects.toMatchObject({
      name: 'StoreError',
      kind: 'other-version',
      message: `the store ${path} has format 2, and this ftc reads format 1`,
    });
  }
  expect(await readdir(path)).toEqual(['version']);
});

test('the latest result of a stage, also when its index is half written', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    await putFiles(store, key('a'), { x: '1' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await putFiles(store, key('b'), { x: '2' });
    await writeFile(join(path, 'results', 'broken.json'), '{"stage":"sft","kin');
    expect((await store.earlier('sft', 'sft'))[0]?.key).toBe(key('b'));
    expect(await store.earlier('sft', 'rm')).toEqual([]);
  });
});

test('work lives by its key until it is removed; what a killed run left half made goes', async () => {
  const path = newStorePath();
  const left = await withStore(path, async (store) => {
    const work = await store.workDirectory(key('a'));
    expect(work).toBe(store.workPath(key('a')));
    await writeFile(join(work, 'checkpoint.safetensors'), 'x');
    return store.temporaryDirectory();
  });
  await withStore(path, async (store) => {
    expect(existsSync(left)).toBe(false);
    expect(await readdir(await store.workDirectory(key('a')))).toEqual(['checkpoint.safetensors']);
    await store.removeWork(key('a'));
    expect(existsSync(store.workPath(key('a')))).toBe(false);
    expect(() => store.workPath('../x')).toThrow(expect.objectContaining({ kind: 'misuse' }));
  });
});

test('a run keeps its plan, events, log and links', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    const hash = await putFiles(store, key('a'), { x: '1' });
    const run = await store.beginRun({
      id: '20260101-1',
      pipeline: 'p',
      file: 'p.ftp',
      plan: { stages: [{ key: key('a') }] },
    });
    run.event({ type: 'step', step: 1 });
    run.event({ type: 'step', step: 2 });
    run.log('a line');
    await run.link('sft', key('a'), { policy: hash });
    expect(await store.run('20260101-1')).toMatchObject({ status: 'unfinished', pipeline: 'p' });
    await store.endRun('20260101-1', { status: 'ok' });
    const link = join(run.directory, 'artifacts', 'sft.policy');
    expect(await readlink(link)).toBe(`../../../objects/sha256/${hash}`);
    expect(await readFile(join(link, 'x'), 'utf8')).toBe('1');
    expect(await readFile(join(run.directory, 'log.txt'), 'utf8')).toBe('a line\n');
    expect(await readFile(join(run.directory, 'events.jsonl'), 'utf8')).toBe(
      '{"type":"step","step":1}\n{"type":"step","step":2}\n{"status":"ok"}\n',
    );
    await store.beginRun({ id: '20260101-2', pipeline: 'p', file: 'p.ftp', plan: {} });
  });
  const runs = await (await openStore(path, { write: false })).runs();
  expect(runs.map(({ id, status }) => [id, status])).toEqual([
    ['20260101-2', 'unfinished'],
    ['20260101-1', 'ok'],
  ]);
  expect(runs[1]!.stages).toEqual({
    sft: { key: key('a'), artifacts: { policy: expect.stringMatching(/^[0-9a-f]{64}$/) } },
  });
  expect(Date.parse(runs[1]!.finished!)).toBeGreaterThanOrEqual(Date.parse(runs[1]!.started));
});

test.skipIf(!existsSync('/dev/full'))('a full disk is a typed error', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    await mkdir(join(path, 'runs/full'), { recursive: true });
    await symlink('/dev/full', join(path, 'runs/full/events.jsonl'));
    const run = await store.beginRun({ id: 'full', pipeline: 'p', file: 'p.ftp', plan: {} });
    expect(() => run.event({ type: 'step' })).toThrow(
      expect.objectContaining({ name: 'StoreError', kind: 'disk-full' }),
    );
  });
});

test('an artifact may come from any directory', async () => {
  const path = newStorePath();
  const directory = writeFiles(temporaryDirectory(), { 'config.json': '{}' });
  await withStore(path, async (store) => {
    const put = { stage: 'a', kind: 'a', directories: new Map([['policy', directory]]), metrics: {} };
    const { policy } = await store.put(key('a'), put);
    expect(await readdir(store.artifact(policy!))).toEqual(['config.json']);
  });
});

test('a store where a file stands is refused in words', async () => {
  const path = join(temporaryDirectory(), 'store');
  await writeFile(path, 'a file');
  await expect(openStore(path, { write: true })).rejects.toMatchObject({ kind: 'no-permission', path });
  expect(await readFile(path, 'utf8')).toBe('a file');
});
