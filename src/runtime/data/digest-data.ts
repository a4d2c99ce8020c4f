import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { CallEntry } from '../../compiler/catalog.ts';
import type { DataExpression, Options } from '../../compiler/graph/graph.ts';
import { DataError } from './data-error.ts';
import { operatorTable } from './entries.ts';
import { openData, sourceCall } from './open-data.ts';
import { canonicalJson } from './row-hash.ts';

export interface DataDigest {
  /** Hex. Equal where the rows are: contents in order and what is done to them; names of files and data are no part. */
  readonly sha256: string;
  /** As they are opened, in order. */
  readonly files: readonly string[];
  /** Of all files. */
  readonly bytes: number;
}

/**
 * What a data expression reads, as one hash. Files are hashed as streams and as they lie there, packed or not, and again
 * only when their size or time changes.
 * @throws DataError where a file is missing or empty; rows are not looked at
 */
export async function digestData(expression: DataExpression, root: string): Promise<DataDigest> {
  const { source, call, resolved } = await sourceCall(expression, root, neverOpened);
  const files = await source.files(call);
  const hashed = await Promise.all(files.map(digestFile));
  const inputs = await Promise.all(call.inputs.map((input) => digestData(input, root)));
  const { path: _, ...options } = withDefaults(source.entry, call.options);
  const content = {
    source: resolved.source.name,
    options,
    files: hashed.map((file) => file.sha256),
    ...(source.formatOf && { formats: files.map(source.formatOf) }),
    inputs: inputs.map((input) => input.sha256),
    operators: expression.operators.map(({ name, options }) => [
      name,
      withDefaults(operatorTable[name]!.entry, options),
    ]),
  };
  const digest = {
    sha256: createHash('sha256').update(canonicalJson(content)).digest('hex'),
    files: [...files, ...inputs.flatMap((input) => input.files)],
    bytes: [...hashed, ...inputs].reduce((total, { bytes }) => total + bytes, 0),
  };
  filesOf.set(digest.sha256, digest.files);
  return digest;
}

/** Files by the digest that they had when this process read them. */
const filesOf = new Map<string, readonly string[]>();

/**
 * A file that has other contents than when the expression had this digest, or is gone; undefined where all is as it was. Only
 * files whose size or time changed are read. @throws DataError where one is gone that is named
 */
export async function changedFile(
  expression: DataExpression,
  root: string,
  sha256: string,
): Promise<string | undefined> {
  const before = new Map(known);
  const now = await digestData(expression, root);
  if (now.sha256 === sha256) return undefined;
  return (
    now.files.find((file) => before.get(file)?.sha256 !== known.get(file)!.sha256) ??
    filesOf.get(sha256)?.find((file) => !now.files.includes(file)) ??
    now.files[0]
  );
}

/** A default that is written out and one that is left out are the same. */
function withDefaults({ options: schemas }: CallEntry, options: Options): Options {
  const defaults = Object.entries(schemas).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(defaults), ...options };
}

/** Rows on each side, counted by reading them all; every row is checked on the way. @throws DataError */
export async function countRows(
  expression: DataExpression,
  root: string,
): Promise<{ readonly train: number; readonly test: number }> {
  const count = async (split: 'train' | 'test') => {
    let rows = 0;
    for await (const row of openData(expression, { root, split }))
      rows += row.continues === undefined ? 1 : 0;
    return rows;
  };
  return { train: await count('train'), test: await count('test') };
}

interface FileDigest {
  readonly sha256: string;
  readonly bytes: number;
  readonly modified: number;
}

const known = new Map<string, FileDigest>();

async function digestFile(path: string): Promise<FileDigest> {
  const { size, mtimeMs } = await stat(path);
  if (size === 0) throw new DataError('empty-data', { path });
  const before = known.get(path);
  if (before?.bytes === size && before.modified === mtimeMs) return before;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const digest = { sha256: hash.digest('hex'), bytes: size, modified: mtimeMs };
  known.set(path, digest);
  return digest;
}

function neverOpened(): never {
  throw new Error('a digest reads no rows');
}
