/** Files of one commit into its snapshot, several at a time. */
import { mkdir, stat, statfs } from 'node:fs/promises';
import { cacheError, type RepositoryCache } from './cache.ts';
import { downloadFile } from './download-file.ts';
import { type FileMetadata, fileMetadata } from './file-metadata.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import type { ListedFile } from './list-files.ts';
import type { Progress } from './progress.ts';

export interface Snapshot {
  readonly repository: string;
  readonly commit: string;
  readonly cache: RepositoryCache;
  readonly settings: HubSettings;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

const QUESTIONS_AT_ONCE = 8;
const DOWNLOADS_AT_ONCE = 4;

/**
 * A file that is there already is not asked for again: a commit does not change.
 * @throws HubError of the first file that fails; the others are stopped, and what they have is kept
 */
export async function fetchFiles(files: readonly ListedFile[], snapshot: Snapshot): Promise<void> {
  const { commit, cache, settings, signal, progress } = snapshot;
  const missing: ListedFile[] = [];
  for (const listed of files) {
    const bytes = await cache.size(commit, listed.file);
    if (bytes === undefined || bytes !== (listed.bytes ?? bytes)) missing.push(listed);
    else progress.has(listed.file, bytes);
  }
  if (missing.length === 0) return;
  const known = new Map<string, FileMetadata>();
  await inParallel(missing, QUESTIONS_AT_ONCE, signal, async ({ file }, stop) => {
    const metadata = await fileMetadata({ ...snapshot, file }, settings, stop);
    known.set(file, metadata);
    progress.expect(file, metadata.bytes);
  });
  await checkRoom([...known.values()], cache);
  await inParallel([...known], DOWNLOADS_AT_ONCE, signal, async ([file, metadata], stop) => {
    const onBytes = (bytes: number): void => progress.at(file, bytes);
    await downloadFile({ remote: { ...snapshot, file }, metadata, cache, settings, signal: stop, onBytes });
    await cache.link(commit, file, metadata.tag);
    progress.done(file, (await cache.size(commit, file)) ?? 0);
  });
}

/** @throws HubError `disk-full` before the first byte, where they cannot all find room */
async function checkRoom(files: readonly FileMetadata[], cache: RepositoryCache): Promise<void> {
  const directory = cache.blob('');
  await mkdir(directory, { recursive: true }).catch((error) => {
    throw cacheError(error, directory);
  });
  let needed = 0;
  for (const { tag, bytes = 0 } of files) {
    const blob = cache.blob(tag);
    const there = await sizeOf(blob).then((size) => size ?? sizeOf(`${blob}.incomplete`));
    needed += Math.max(0, bytes - (there ?? 0));
  }
  const { bavail, bsize } = await statfs(directory);
  if (needed <= bavail * bsize) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
  throw new HubError(
    'disk-full',
    `${gigabytes(needed)} are to be fetched into ${directory}, and ${gigabytes(bavail * bsize)} are free`,
    { help: ['free some space, or keep the cache elsewhere: HF_HUB_CACHE names its directory'] },
  );
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** Runs `work` on all of them, so many at once; the first failure stops the rest and is thrown when they have ended. */
async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: T, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const rest = items.values();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      try {
        stop.throwIfAborted();
        await work(item, stop);
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
