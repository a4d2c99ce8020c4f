import { Decompress, type ZstdError } from 'fzstd';
import { brokenFile } from '../data-error.ts';

/** Little at a time: a few packed bytes can stand for 128 KiB. */
const PIECE = 4096;

const UNEXPECTED_END = 5;
const WINDOW_TOO_LARGE = 1;

/** Zstandard as a stream, several frames in a row too. @throws DataError `broken-data-file` */
export async function* unzstd(packed: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  let ready: Buffer[] = [];
  // What is handed over is used again by the next block.
  const decoder = new Decompress((data) => ready.push(Buffer.from(data)));
  const push = (data: Uint8Array, last: boolean) => {
    try {
      decoder.push(data, last);
    } catch (error) {
      throw brokenFile(path, whyOf(error as ZstdError));
    }
  };
  for await (const chunk of packed) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      push(chunk.subarray(at, at + PIECE), false);
      yield* ready;
      ready = [];
    }
  }
  push(new Uint8Array(0), true);
  yield* ready;
}

function whyOf({ code, message }: ZstdError): string {
  if (code === UNEXPECTED_END) return 'it ends in the middle of its zstd data';
  if (code === WINDOW_TOO_LARGE)
    return 'its zstd window is too large (packed with `--long`); pack it again without';
  return `its zstd data are damaged (${message})`;
}
