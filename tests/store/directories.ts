/** Stores for the tests of this folder. */
import { join } from 'node:path';
import { openStore, type Store } from '../../src/runtime/store/store.ts';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';

/** A path for a store that does not exist yet. */
export const newStorePath = (): string => join(temporaryDirectory(), '.ftc');

/** Puts a result with one artifact of these files. @returns the artifact's hash */
export async function putFiles(
  store: Store,
  key: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = writeFiles(await store.temporaryDirectory(), files);
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
