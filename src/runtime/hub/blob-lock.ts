/** Processes that want the same file fetch it once: one writes, the others wait for it. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../store/lock.ts';
import { StoreError } from '../store/store-error.ts';
import { cacheError } from './cache.ts';
import type { Download } from './download-file.ts';

const LOOK_AGAIN_MILLISECONDS = 250;
/** A partial file that did not grow for so long is not waited for: its writer may be on a machine that is gone. */
const STANDSTILL_MILLISECONDS = 120_000;

/**
 * Runs `use` with a partial file that no other process of ftc writes to. Python's locks are of another kind (flock) and
 * its partial files have names of their own, so neither is in the way of the other.
 */
export async function withBlobLock(
  { cache, metadata, settings, signal, onBytes }: Download,
  use: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${cache.blob(metadata.tag)}.incomplete`;
  const lock = join(cache.locks, `${metadata.tag}.ftc`);
  const since = Date.now();
  for (;;) {
    const release = await tryLock(lock);
    if (release !== undefined) return use(partial).finally(release);
    const seen = await stat(partial).catch(() => undefined);
    if (seen !== undefined) onBytes(seen.size);
    if (Date.now() - Math.max(since, seen?.mtimeMs ?? 0) > STANDSTILL_MILLISECONDS) break;
    await settings.pause(LOOK_AGAIN_MILLISECONDS, signal);
  }
  const own = `${cache.blob(metadata.tag)}.${randomBytes(4).toString('hex')}.incomplete`;
  await use(own).finally(() => rm(own, { force: true }));
}

async function tryLock(directory: string): Promise<(() => Promise<void>) | undefined> {
  try {
    await mkdir(directory, { recursive: true });
    const release = await takeLock(directory);
    return async () => {
      await release();
      await rmdir(directory).catch(() => {});
    };
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'in-use') return undefined;
    // Its directory went with the lock of the process before.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cacheError(error, directory);
  }
}
