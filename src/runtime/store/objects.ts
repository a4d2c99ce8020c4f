import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { cp, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { StoreError, storeError } from './store-error.ts';

/**
 * Immutable directories named by what is in them: the hash of the list of their files (path, size, hash of the
 * bytes) in the order of the paths' code units.
 */
export class Objects {
  private readonly directory: string;
  private readonly checked = new Set<string>();

  constructor(store: string) {
    this.directory = join(store, 'objects', 'sha256');
  }

  /** @throws StoreError `misuse` where the name is no hash (it may come from a file) */
  path(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash))
      throw new StoreError('misuse', this.directory, `"${hash}" is no artifact's hash`);
    return join(this.directory, hash);
  }

  has(hash: string): boolean {
    return existsSync(this.path(hash));
  }

  list(): string[] {
    return existsSync(this.directory)
      ? readdirSync(this.directory).filter((name) => /^[0-9a-f]{64}$/.test(name))
      : [];
  }

  /**
   * The directory of an object. Its bytes are hashed the first time a process asks for it.
   * @throws StoreError `damaged` where it is missing or is not what its name says
   */
  open(hash: string): string {
    const path = this.path(hash);
    if (this.checked.has(hash)) return path;
    const found = existsSync(path) ? hashDirectory(path) : undefined;
    if (found !== hash) {
      const why =
        found === undefined ? 'is missing' : 'is damaged: its bytes are not those that were written';
      throw new StoreError('damaged', path, `the artifact ${hash.slice(0, 12)}… ${why}`, [
        'remove it with `ftc clean`; the stage that made it runs again then',
      ]);
    }
    this.checked.add(hash);
    return path;
  }

  /** Moves a directory into the store. @returns its hash */
  async put(directory: string): Promise<string> {
    const hash = hashDirectory(directory);
    const target = this.path(hash);
    try {
      await mkdir(this.directory, { recursive: true });
      for (const file of filesOf(directory)) await syncFile(join(directory, file));
      if (existsSync(target)) await rm(directory, { recursive: true, force: true });
      else await move(directory, target);
      await syncDirectory(this.directory);
    } catch (error) {
      throw storeError(error, target);
    }
    return hash;
  }

  /** The artifact that this one needs, named in its `ftc.json` (an adapter's base). */
  async baseOf(hash: string): Promise<string | undefined> {
    try {
      const { base } = JSON.parse(await readFile(join(this.path(hash), 'ftc.json'), 'utf8')) as {
        base?: unknown;
      };
      return typeof base === 'string' ? base : undefined;
    } catch {
      return undefined;
    }
  }

  async remove(hash: string): Promise<void> {
    this.checked.delete(hash);
    await rm(this.path(hash), { recursive: true, force: true });
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // From another disk: copied beside its place first, so that it appears there whole.
    const beside = `${to}.${process.pid}.tmp`;
    await cp(from, beside, { recursive: true });
    await rename(beside, to);
    await rm(from, { recursive: true, force: true });
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : 1));
}

function hashDirectory(directory: string): string {
  const list = filesOf(directory).map((file) => [file, ...hashFile(join(directory, file))]);
  return createHash('sha256').update(JSON.stringify(list)).digest('hex');
}

function hashFile(path: string): [bytes: number, sha256: string] {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  let bytes = 0;
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
  return [bytes, hash.digest('hex')];
}
