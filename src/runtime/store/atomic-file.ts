import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { storeError } from './store-error.ts';

/**
 * Writes a file so that a reader sees the old bytes or all of the new ones, also after a crash: a temporary file
 * beside it, fsync, rename, fsync of the directory. Makes the directory where it is missing.
 * @throws StoreError `disk-full` or `no-permission`; the temporary file is gone by then.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array | ((file: FileHandle) => Promise<void>),
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      if (typeof content === 'function') await content(file);
      else await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw storeError(error, path);
  }
}

/** Makes a rename inside the directory durable; a file system that cannot do it is left alone. */
export async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } catch {
    // Windows and some network file systems refuse to sync a directory.
  } finally {
    await directory?.close();
  }
}
