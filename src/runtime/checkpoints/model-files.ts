/** Files of a model's directory: ordinary ones, in that directory or in the blobs of a hub's cache, of a bounded size. */
import { constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type JsonLimits, parseBoundedJson } from './bounded-json.ts';
import { CheckpointError, quoted } from './checkpoint-error.ts';

/** A pipe without a writer would block a plain `open` for ever. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** @throws CheckpointError where there is no such file, it may not be read, or is a directory, device or pipe. */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, READ).catch((error: NodeJS.ErrnoException) => {
    throw cannotOpen(path, error);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw notRegular(path);
}

/** The file's descriptor. @throws CheckpointError as `openRegular` does. */
export function openRegularNow(path: string): number {
  try {
    const file = openSync(path, READ);
    if (fstatSync(file).isFile()) return file;
  } catch (error) {
    throw cannotOpen(path, error as NodeJS.ErrnoException);
  }
  throw notRegular(path);
}

const notRegular = (path: string) =>
  new CheckpointError(path, 'is not a file but a directory, device or pipe');

function cannotOpen(path: string, { code, message }: NodeJS.ErrnoException): CheckpointError {
  return new CheckpointError(
    path,
    code === 'ENOENT' ? 'no such file' : `cannot be opened (${code ?? message})`,
  );
}

/**
 * The path of a file of a model's directory; undefined where it has none of this name.
 * @throws CheckpointError for a link that leads elsewhere. The hub's cache is made of links to its `blobs`: those are fine.
 */
export async function findModelFile(directory: string, name: string): Promise<string | undefined> {
  const path = join(directory, name);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw cannotOpen(path, error);
  });
  if (found === undefined) return undefined;
  if (!found.isSymbolicLink()) return path;
  const target = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'a file that is not there' : `nowhere (${error.code})`;
    throw new CheckpointError(path, `is a link to ${reason}`, undefined, ['download or copy it again']);
  });
  const inside = relative(await realpath(directory), target);
  if (!inside.startsWith(`..${sep}`) || HUB_BLOB.test(target.split(sep).join('/'))) return path;
  throw new CheckpointError(
    path,
    `is a link that leads out of the model's directory, to ${target}`,
    undefined,
    ['put the file itself here'],
  );
}

const HUB_BLOB = /\/models--[^/]+\/blobs\/[^/]+$/;

/** Enough for the largest that are published: configs have hundreds of values, indexes a few hundred thousand. */
export const CONFIG_LIMITS = { bytes: 8 << 20, depth: 64, values: 500_000 } as const;
export const INDEX_LIMITS = { bytes: 64 << 20, depth: 8, values: 2_000_000, uniqueKeys: true } as const;
export const TOKENIZER_LIMITS = { bytes: 128 << 20, depth: 64, values: 10_000_000 } as const;

export interface FileLimits extends JsonLimits {
  readonly bytes: number;
}

/**
 * The bytes of a file of a model's directory; undefined where it has none of this name.
 * @throws CheckpointError for a link that leads elsewhere, what is no file, and one that is larger than `limit` bytes.
 */
export async function readModelFile(
  directory: string,
  name: string,
  limit: number,
): Promise<Buffer | undefined> {
  const path = await findModelFile(directory, name);
  if (path === undefined) return undefined;
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    if (size > limit)
      throw new CheckpointError(path, `has ${size} bytes, more than the ${limit} that are read`);
    return await readFile(file);
  } finally {
    await file.close();
  }
}

/**
 * The object of a JSON file; undefined where there is no such file.
 * @throws CheckpointError as `readModelFile`, and for what is not a JSON object, or is larger than the limits.
 */
export async function readModelJson(
  directory: string,
  name: string,
  limits: FileLimits,
): Promise<Record<string, unknown> | undefined> {
  const bytes = await readModelFile(directory, name, limits.bytes);
  return bytes && jsonObject(join(directory, name), bytes, limits);
}

/** @throws CheckpointError for bytes that are not a JSON object, or pass the limits. */
export function jsonObject(path: string, bytes: Uint8Array, limits: JsonLimits): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseBoundedJson(bytes, limits);
  } catch (error) {
    throw new CheckpointError(path, (error as SyntaxError).message);
  }
  if (isRecord(value)) return value;
  throw new CheckpointError(path, `is not a JSON object but ${quoted(value)}`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
