import { badRow, brokenFile, DataError } from '../data-error.ts';
import { readBytes } from './read-bytes.ts';

export interface Line {
  /** Without its end. */
  readonly text: string;
  /** `\n`, `\r\n`, or nothing after the last line. */
  readonly end: string;
  /** 1-based. */
  readonly number: number;
}

const NEWLINE = 10;
/** Of a line, in bytes: longer ones do not fit into one text. */
const LONGEST = 1 << 28;

/**
 * Streams the lines of a UTF-8 file, unpacked where it is gzip or zstd; a byte order mark at its start is dropped.
 * @throws DataError `bad-row` for a line that is not text, not UTF-8 or longer than 256 MiB, `empty-data` for a file of no
 *   bytes, `broken-data-file` for UTF-16 and for packed data that are cut off, `missing-data-file` for one that is gone
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const lines = new LineCutter(path);
  try {
    for await (const chunk of readBytes(path)) yield* lines.cut(chunk);
    yield* lines.end();
  } catch (error) {
    if (!(error instanceof DataError) || error.kind !== 'broken-data-file' || lines.number === 0) throw error;
    throw new DataError('broken-data-file', {
      ...(error as DataError<'broken-data-file'>).data,
      after: `line ${lines.number}`,
    });
  }
  if (lines.number === 0) throw new DataError('empty-data', { path });
}

class LineCutter {
  /** Of the last complete line. */
  number = 0;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private begun = false;

  constructor(private readonly path: string) {}

  *cut(chunk: Buffer): Generator<Line> {
    if (!this.begun) refuseUtf16(chunk, this.path);
    this.begun = true;
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      this.keep(chunk.subarray(start, at + 1));
      yield this.line();
      start = at + 1;
    }
    if (start < chunk.length) this.keep(chunk.subarray(start));
  }

  *end(): Generator<Line> {
    if (this.pending.length > 0) yield this.line();
  }

  private keep(part: Buffer): void {
    this.pending.push(part);
    this.pendingBytes += part.length;
    const place = { file: this.path, line: this.number + 1 };
    if (part.includes(0)) throw badRow(place, 'this is not text: the line has a zero byte');
    if (this.pendingBytes > LONGEST) throw badRow(place, 'the line is longer than 256 MiB');
  }

  private line(): Line {
    const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    this.number++;
    let text: string;
    try {
      text = this.decoder.decode(bytes);
    } catch {
      const place = { file: this.path, line: this.number };
      throw badRow(place, 'this is not UTF-8 text; convert the file to UTF-8');
    }
    const cut = text.endsWith('\r\n') ? 2 : text.endsWith('\n') ? 1 : 0;
    const begin = this.number === 1 && text.startsWith('\uFEFF') ? 1 : 0;
    const end = text.length - cut;
    return {
      text: text.slice(begin, end),
      end: text.slice(end),
      number: this.number,
    };
  }
}

/** By its byte order mark, or by a zero in every other byte of what begins it. */
export function refuseUtf16(head: Buffer, path: string): void {
  const marked = head.length >= 2 && (head.readUInt16LE() === 0xfeff || head.readUInt16BE() === 0xfeff);
  if (!marked && !everyOtherIsZero(head.subarray(0, 64))) return;
  const help = `convert it: \`iconv -f UTF-16 -t UTF-8 ${path} > utf8-${path.split('/').at(-1)}\``;
  throw brokenFile(path, 'it is UTF-16 text, and data are read as UTF-8', help);
}

function everyOtherIsZero(head: Buffer): boolean {
  const pairs = head.length >> 1;
  if (pairs < 2) return false;
  const zeros = (odd: number) =>
    Array.from({ length: pairs }, (_, i) => Number(head[2 * i + odd] === 0)).reduce((a, b) => a + b, 0);
  return Math.max(zeros(0), zeros(1)) === pairs && Math.min(zeros(0), zeros(1)) === 0;
}
