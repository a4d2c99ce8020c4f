import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoreError, storeError } from './store-error.ts';

interface Owner {
  readonly pid: number;
  /** When the process began, in the system's own unit; tells a process from a later one with the same number. */
  readonly began: string | undefined;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

const FILE = 'lock';
/** Longest that one process needs to remove a lock that nobody holds. */
const TAKEOVER_MILLISECONDS = 10_000;

/**
 * Takes the store for this process: one run at a time writes to it. A lock whose process is gone is taken over.
 * @returns how to let go of it
 * @throws StoreError `in-use` where another run that is alive, or on another machine, holds it
 */
export async function takeLock(store: string): Promise<() => Promise<void>> {
  const path = join(store, FILE);
  const owner: Owner = {
    pid: process.pid,
    began: beginningOf(process.pid),
    host: hostname(),
    since: new Date().toISOString(),
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await create(path, JSON.stringify(owner))) return () => rm(path, { force: true });
    const holder = await read(path);
    if (holder !== undefined && isAlive(holder)) throw inUse(store, holder);
    await removeStale(store, path);
  }
  throw new StoreError('in-use', store, `the store ${store} is in use by another run that is just starting`, [
    'wait until that run has ended, or use another store with `--store DIR`',
  ]);
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw storeError(error, path);
  }
}

async function read(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** Only one process may remove a stale lock at a time, else the second would remove the first one's new lock. */
async function removeStale(store: string, path: string): Promise<void> {
  const guard = join(store, 'lock.takeover');
  try {
    await mkdir(guard);
  } catch {
    const age = await stat(guard).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > TAKEOVER_MILLISECONDS) await rmdir(guard).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    return;
  }
  try {
    const holder = await read(path);
    const written = holder !== undefined || (await olderThan(path, TAKEOVER_MILLISECONDS));
    if (written && (holder === undefined || !isAlive(holder))) await rm(path, { force: true });
  } finally {
    await rmdir(guard);
  }
}

/** A lock without content is one whose owner is just writing it, unless it has been so for long. */
async function olderThan(path: string, milliseconds: number): Promise<boolean> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > milliseconds,
    () => false,
  );
}

function isAlive({ pid, began, host }: Owner): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = beginningOf(pid);
  return now === undefined || began === undefined || now === began;
}

/** Field 22 of Linux's /proc/PID/stat; undefined on other systems. */
function beginningOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command, in brackets, may hold blanks.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function inUse(store: string, { pid, host, since }: Owner): StoreError {
  const where = host === hostname() ? '' : ` on ${host}`;
  const help = ['wait until that run has ended, or use another store with `--store DIR`'];
  if (where !== '') help.push(`if nothing runs on ${host} any more, remove ${join(store, FILE)}`);
  return new StoreError(
    'in-use',
    store,
    `the store ${store} is in use by process ${pid}${where} since ${since}`,
    help,
  );
}
