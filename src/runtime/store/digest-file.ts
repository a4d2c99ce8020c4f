/** Hashes of files' contents. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

interface FileDigest {
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly modified: number;
}

const known = new Map<string, FileDigest>();

/** Read as a stream, and again only when the file's size or time has changed. */
export async function digestFile(path: string): Promise<FileDigest> {
  const { size, mtimeMs } = await stat(path);
  const before = known.get(path);
  if (before?.bytes === size && before.modified === mtimeMs) return before;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const digest = { sha256: hash.digest('hex'), bytes: size, modified: mtimeMs };
  known.set(path, digest);
  return digest;
}
