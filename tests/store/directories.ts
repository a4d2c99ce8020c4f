/** Directories for the tests of this folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { openStore, type Store } from '../../src/runtime/store/store.ts';

/** A new directory, removed after the tests of the file. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ftc-store-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A path for a store that does not exist yet. */
export const newStorePath = async (): Promise<string> => join(await newDirectory(), '.ftc');

export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  return directory;
}

/** Puts a result with one artifact of these files. @returns the artifact's hash */
export async function putFiles(
  store: Store,
  key: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = await writeFiles(await store.temporaryDirectory(), files);
  const put = {
    stage: 'sft',
    kind: 'sft',
    directories: new Map([['policy', directory]]),
    metrics: { loss: 1.5 },
  };
  return (await store.put(key, put)).policy!;
}

/** Opens for writing, does something, closes. */
export async function withStore<T>(path: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(path, { write: true });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
