/** Whether a file's bytes are those that its tag names. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileMetadata } from './file-metadata.ts';

/** @returns what is wrong with the bytes at `path`, or undefined */
export async function wrongContent(
  path: string,
  { tag, bytes }: FileMetadata,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { size } = await stat(path);
  if (bytes !== undefined && size !== bytes) return `it has ${size} bytes instead of ${bytes}`;
  const hash = hashOf(tag, size);
  if (hash === undefined) return undefined;
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(part);
  }
  const digest = hash.digest('hex');
  return digest === tag ? undefined : `its hash is ${digest} instead of ${tag}`;
}

/** Whether wrong bytes would be found out. */
export const isHash = (tag: string): boolean => hashOf(tag, 0) !== undefined;

/** 64 hexadecimal digits are a SHA-256, 40 those of a git blob; other tags say nothing of the bytes. */
function hashOf(tag: string, size: number): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(tag)) return createHash('sha256');
  if (/^[0-9a-f]{40}$/.test(tag)) return createHash('sha1').update(`blob ${size}\0`);
  return undefined;
}
