import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Store } from '../../src/runtime/store/store.ts';
import { newStorePath, putFiles, withStore } from './directories.ts';

async function finishedRun(
  store: Store,
  id: string,
  results: Readonly<Record<string, string>>,
  planned: string[] = [],
) {
  const keys = [...Object.keys(results), ...planned];
  const run = await store.beginRun({
    id,
    pipeline: 'p',
    file: 'p.ftp',
    plan: { stages: keys.map((key) => ({ key })) },
  });
  for (const [key, hash] of Object.entries(results)) await run.link(key, key, { policy: hash });
  await store.endRun(id, { status: 'ok' });
  await new Promise((resolve) => setTimeout(resolve, 5));
}

test('what a kept run needs stays: its artifacts, their bases, what it planned and has begun', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    const old = await putFiles(store, 'old', { w: 'old weights' });
    await finishedRun(store, 'run-1', { old });
    const base = await putFiles(store, 'base', { w: 'base' });
    const adapter = await putFiles(store, 'adapter', { a: 'adapter', 'ftc.json': JSON.stringify({ base }) });
    const planned = await putFiles(store, 'planned', { w: 'planned' });
    await finishedRun(store, 'run-2', { adapter }, ['planned', 'begun']);
    for (const name of ['begun', 'forgotten'])
      await writeFile(join(await store.workDirectory(name), 'x'), '12345');
    await mkdir(join(path, 'passes'));
    await writeFile(join(path, 'passes/found'), 'x'.repeat(10_000));

    const dry = await store.clean({ keepRuns: 1, dryRun: true });
    expect(dry).toEqual({
      runs: ['run-1'],
      artifacts: [old],
      work: ['forgotten'],
      passes: 1,
      bytes: expect.any(Number),
    });
    expect(dry.bytes).toBeGreaterThanOrEqual('old weights'.length + 5 + 10_000);
    expect(existsSync(join(path, 'runs/run-1'))).toBe(true);

    expect(await store.clean({ keepRuns: 1 })).toEqual(dry);
    expect((await readdir(join(path, 'objects/sha256'))).sort()).toEqual([base, adapter, planned].sort());
    expect(await readdir(join(path, 'work'))).toEqual(['begun']);
    expect(existsSync(join(path, 'passes'))).toBe(false);
    expect(await readdir(join(path, 'runs'))).toEqual(['run-2']);
    expect(await store.find('old')).toBeUndefined();
    expect((await store.find('planned'))?.artifacts).toEqual({ policy: planned });
    const nothing = { runs: [], artifacts: [], work: [], passes: 0, bytes: 0 };
    expect(await store.clean({ keepRuns: 1 })).toEqual(nothing);
  });
});

test('runs can be kept by name, and damaged artifacts always go, so that their stages run again', async () => {
  const path = newStorePath();
  await withStore(path, async (store) => {
    const one = await putFiles(store, 'one', { w: 'one' });
    await finishedRun(store, 'run-1', { one });
    const two = await putFiles(store, 'two', { w: 'two' });
    await finishedRun(store, 'run-2', { two });
    await writeFile(join(path, 'objects/sha256', two, 'w'), 'twO');
    expect(await store.clean({ keepRuns: 0, keep: ['run-1', 'run-2'] })).toMatchObject({
      runs: [],
      artifacts: [two],
    });
    expect(await store.find('two')).toBeUndefined();
    expect(await store.find('one')).toBeDefined();
    expect(await store.clean({ keepRuns: 0 })).toMatchObject({ runs: ['run-2', 'run-1'], artifacts: [one] });
    expect(await readdir(join(path, 'results'))).toEqual([]);
  });
});
