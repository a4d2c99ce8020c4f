import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/runtime/store/store.ts';
import { newStorePath, withStore } from './directories.ts';

const lockOf = (path: string) => join(path, 'lock');
const owner = (changes: object) =>
  JSON.stringify({ pid: process.pid, host: hostname(), since: '2026-01-01T00:00:00.000Z', ...changes });

test('one run at a time writes; readers do not wait', async () => {
  const path = newStorePath();
  await withStore(path, async () => {
    await expect(openStore(path, { write: true })).rejects.toMatchObject({
      name: 'StoreError',
      kind: 'in-use',
      message: expect.stringMatching(new RegExp(`in use by process ${process.pid} since 20`)),
    });
    expect(await (await openStore(path, { write: false })).runs()).toEqual([]);
  });
  expect(existsSync(lockOf(path))).toBe(false);
  await withStore(path, async () => {});
});

test('the lock of a process that is gone is taken over, also when its number was given again', async () => {
  const path = newStorePath();
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await withStore(path, async () => {});
  await writeFile(lockOf(path), owner({ pid: child.pid }));
  await withStore(path, async () => {
    expect(JSON.parse(await readFile(lockOf(path), 'utf8')).pid).toBe(process.pid);
  });
  if (existsSync('/proc/self/stat')) {
    await writeFile(lockOf(path), owner({ began: '1' }));
    await withStore(path, async () => {});
  }
  await writeFile(lockOf(path), owner({ host: 'elsewhere', pid: 1 }));
  await expect(openStore(path, { write: true })).rejects.toMatchObject({
    kind: 'in-use',
    help: expect.arrayContaining([`if nothing runs on elsewhere any more, remove ${lockOf(path)}`]),
  });
});

test('a living process holds its lock', async () => {
  const path = newStorePath();
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 30000)']);
  try {
    await mkdir(path, { recursive: true });
    await writeFile(lockOf(path), owner({ pid: child.pid }));
    await expect(openStore(path, { write: true })).rejects.toThrow(`in use by process ${child.pid}`);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
  await withStore(path, async () => {});
});

test('of many that find a stale lock, one gets it', async () => {
  const path = newStorePath();
  await withStore(path, async () => {});
  await writeFile(lockOf(path), owner({ pid: 2 ** 22 + 1 }));
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => openStore(path, { write: true })));
  const got = tries.filter((t) => t.status === 'fulfilled');
  expect(got).toHaveLength(1);
  for (const t of tries) if (t.status === 'rejected') expect(t.reason).toMatchObject({ kind: 'in-use' });
});
