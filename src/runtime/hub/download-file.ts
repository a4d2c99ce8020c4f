/** A file's bytes into the cache: goes on where an earlier attempt ended, and keeps nothing that is not what was announced. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unreachable } from './answer-error.ts';
import { Interrupted } from './ask.ts';
import { withBlobLock } from './blob-lock.ts';
import { cacheError, exists, type RepositoryCache } from './cache.ts';
import { isHash, wrongContent } from './check-content.ts';
import { type FileMetadata, pathOf, type RemoteFile } from './file-metadata.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { ATTEMPTS, pauseBefore, sendRequest } from './send-request.ts';

export interface Download {
  readonly remote: RemoteFile;
  readonly metadata: FileMetadata;
  readonly cache: RepositoryCache;
  readonly settings: HubSettings;
  readonly signal: AbortSignal | undefined;
  /** Bytes of the file that are there; falls where they have to be fetched again. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Fetches the blob, unless it is there. Another process that fetches the same one is waited for.
 * @throws HubError `wrong-content` (the bytes are removed), `disk-full`, `unreachable`, …; the partial file stays
 */
export async function downloadFile(download: Download): Promise<void> {
  const { cache, metadata } = download;
  const blob = cache.blob(metadata.tag);
  await mkdir(dirname(blob), { recursive: true }).catch((error) => {
    throw cacheError(error, dirname(blob));
  });
  await withBlobLock(download, async (partial) => {
    if (await exists(blob)) return;
    if (!(await fetchInto(partial, download))) {
      // What an earlier process left was something else: once more, from its beginning.
      await rm(partial);
      await fetchInto(partial, download);
    }
    await rename(partial, blob);
  });
}

/**
 * @returns false where the bytes are wrong but begin with some that were there before
 * @throws HubError
 */
async function fetchInto(partial: string, download: Download): Promise<boolean> {
  const { remote, metadata, settings, signal } = download;
  const resumed = await fill(partial, download).catch((error) => {
    throw cacheError(error, partial);
  });
  const wrong = await wrongContent(partial, metadata, signal);
  if (wrong === undefined) return true;
  if (resumed) return false;
  await rm(partial, { force: true });
  throw new HubError('wrong-content', `${remote.file} of \`${remote.repository}\` is damaged: ${wrong}`, {
    notes: [`fetched from ${settings.endpoint.host}; the bytes were removed`],
    help: ['try again; if it stays so, a proxy or a mirror changes what it passes on'],
  });
}

/** @returns whether bytes of an earlier process are among them */
async function fill(partial: string, download: Download): Promise<boolean> {
  const { metadata, settings, signal } = download;
  const file = await open(partial, 'a');
  try {
    let have = (await file.stat()).size;
    // Pieces of several answers are put together only where a hash says whether they belong together.
    const keepsPieces = isHash(metadata.tag);
    if (have > (metadata.bytes ?? have) || !keepsPieces) await file.truncate((have = 0));
    let resumed = have > 0;
    for (let attempt = 1; ; attempt++) {
      try {
        if (!(await receive(file, have, download))) resumed = false;
        break;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        const { size } = await file.stat();
        if (size < have) resumed = false;
        if (!keepsPieces) await file.truncate(0);
        else if (size > have) attempt = 1;
        have = keepsPieces ? size : 0;
        if (attempt >= ATTEMPTS) throw unreachable(settings, error.message);
        await settings.pause(pauseBefore(attempt), signal);
      }
    }
    await file.datasync();
    return resumed;
  } finally {
    await file.close();
  }
}

/**
 * Appends what is missing from `start` on.
 * @returns false where the server sent the whole file instead, and nothing of what was there is left
 */
async function receive(file: FileHandle, start: number, download: Download): Promise<boolean> {
  const { remote, metadata, settings, signal, onBytes } = download;
  onBytes(start);
  if (start > 0 && start === metadata.bytes) return true;
  const request = { path: pathOf(remote), subject: { ...remote, revision: remote.commit }, leavesHost: true };
  // No If-Range: large files come from another host, whose entity tag is not the hub's. The hash decides in the end.
  const rest = { accepts: [206, 416], headers: { range: `bytes=${start}-` } };
  const answer = await sendRequest({ ...request, ...(start > 0 && rest) }, settings, signal);
  const goesOn =
    start === 0 || continues(answer.status, answer.headers.get('content-range'), start, metadata.bytes);
  if (!goesOn) {
    await file.truncate(0);
    onBytes(0);
    if (answer.status !== 200) {
      await answer.discard();
      throw new Interrupted('the server cannot go on where it ended');
    }
  }
  let have = goesOn ? start : 0;
  for await (const bytes of answer.body()) {
    await file.appendFile(bytes);
    have += bytes.length;
    onBytes(have);
    if (have > (metadata.bytes ?? have)) break;
  }
  if (have < (metadata.bytes ?? 0)) throw new Interrupted(`the answer ended after ${have} bytes`);
  return goesOn;
}

/** Whether an answer is the rest of the file from `start` on; a server may send all of it instead. */
function continues(status: number, range: string | null, start: number, bytes: number | undefined): boolean {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? '') ?? [];
  return (
    status === 206 &&
    Number(from) === start &&
    (bytes === undefined || total === '*' || Number(total) === bytes)
  );
}
