import { createReadStream } from 'node:fs';
import { brokenFile } from '../data-error.ts';
import { gunzipped } from './gunzip.ts';
import { openFile, unreadable } from './open-file.ts';
import { unzstd } from './unzstd.ts';

/** How the bytes of a file are packed. */
type Packing = 'gzip' | 'zstd' | 'plain';

const READ_SIZE = 1 << 20;

/** Seen from the first bytes, whatever the file is called; `plain` for what is not packed. @throws DataError */
async function packingOf(path: string): Promise<Packing> {
  const head = await headOf(path, 4);
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const word = head.length === 4 ? head.readUInt32LE() : 0;
  // A frame, or a frame to pass over, which some packers put first.
  if (word === 0xfd2fb528 || word >>> 4 === 0x184d2a5) return 'zstd';
  return 'plain';
}

/**
 * Streams a file's bytes, unpacked where it is gzip or zstd.
 * @throws DataError `missing-data-file`, `bad-row` where it may not be read, `broken-data-file` where packed data are cut
 *   off or damaged
 */
export async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const packing = await packingOf(path);
  const ending = /\.(gz|zst)$/i.exec(path)?.[1]?.toLowerCase();
  if (packing === 'plain' && ending !== undefined && (await headOf(path, 1)).length > 0) {
    const format = ending === 'gz' ? 'gzip' : 'zstd';
    throw brokenFile(path, `it is called .${ending}, and does not begin as ${format} does`);
  }
  const packed = rawBytes(path);
  if (packing === 'gzip') yield* gunzipped(packed, path);
  else if (packing === 'zstd') yield* unzstd(packed, path);
  else yield* packed;
}

async function* rawBytes(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) yield chunk as Buffer;
  } catch (error) {
    throw unreadable(error, path);
  }
}

async function headOf(path: string, length: number): Promise<Buffer> {
  const file = await openFile(path);
  try {
    return Buffer.from(await file.read(0, Math.min(length, file.size)));
  } finally {
    await file.close();
  }
}
