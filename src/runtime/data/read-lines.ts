import { createReadStream } from 'node:fs';
import { badRow, DataError } from './data-error.ts';

export interface Line {
  /** Without its end. */
  readonly text: string;
  /** `\n`, `\r\n`, or nothing after the last line. */
  readonly end: string;
  /** 1-based. */
  readonly number: number;
}

const NEWLINE = 10;

/**
 * Streams the lines of a UTF-8 file; a byte order mark at its start is dropped.
 * @throws DataError `bad-row` for a binary file or a line that is not UTF-8, `empty-data` for a file of no bytes,
 *   `missing-data-file` for one that is gone
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pending: Buffer[] = [];
  let number = 0;
  const lineOf = (bytes: Buffer): Line => {
    number++;
    if (bytes.includes(0))
      throw badRow({ file: path, line: number }, 'this is not text: the line has a zero byte');
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw badRow({ file: path, line: number }, 'this is not UTF-8 text; convert the file to UTF-8');
    }
    if (number === 1 && text.startsWith('\uFEFF')) text = text.slice(1);
    const end = text.endsWith('\r\n') ? '\r\n' : text.endsWith('\n') ? '\n' : '';
    return { text: text.slice(0, text.length - end.length), end, number };
  };
  for await (const chunk of chunks(path)) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, at + 1));
      yield lineOf(pending.length === 1 ? pending[0]! : Buffer.concat(pending));
      pending = [];
      start = at + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) yield lineOf(Buffer.concat(pending));
  if (number === 0) throw new DataError('empty-data', { path });
}

async function* chunks(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') throw new DataError('missing-data-file', { path });
    if (code === 'EACCES' || code === 'EPERM')
      throw badRow({ file: path, line: 1 }, 'the file may not be read');
    throw error;
  }
}
