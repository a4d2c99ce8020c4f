import { open } from 'node:fs/promises';
import { brokenFile, DataError } from '../data-error.ts';

export interface OpenFile {
  /** In bytes. */
  readonly size: number;
  /** Bytes from `start` up to `end`. @throws DataError `broken-data-file` where the file ends before */
  read(start: number, end: number): Promise<ArrayBuffer>;
  close(): Promise<void>;
}

/** A file for reading pieces of it. @throws DataError `missing-data-file`, `broken-data-file` where it may not be read */
export async function openFile(path: string): Promise<OpenFile> {
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(error, path);
  });
  const { size } = await file.stat();
  return {
    size,
    async read(start, end) {
      const length = end - start;
      if (start < 0 || length < 0 || end > size) throw brokenFile(path, 'it ends before it should');
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 1 << 30), start + done);
        if (bytesRead === 0) throw brokenFile(path, 'it became shorter while it was read');
        done += bytesRead;
      }
      return bytes.buffer;
    },
    close: () => file.close(),
  };
}

/** What the system says, as a problem of the file. */
export function unreadable(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'EISDIR') return new DataError('missing-data-file', { path });
  if (code === 'EACCES' || code === 'EPERM')
    return brokenFile(path, 'it may not be read', 'give yourself the right to read it');
  return error;
}
