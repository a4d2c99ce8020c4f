import { open } from 'node:fs/promises';
import { CheckpointError } from './checkpoint-error.ts';
import { numberFormats } from './number-formats.ts';

export interface TensorEntry {
  readonly name: string;
  /** The file's number format: `F32`, `BF16`, … */
  readonly format: string;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: { readonly [key: string]: string };
  /** Where the tensors' bytes begin. */
  readonly dataOffset: number;
}

/** Longest header the format's reference implementation accepts. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Names, shapes, formats and byte ranges, without reading a tensor. Everything is checked before it is believed:
 * length, JSON, duplicate names, sizes, ranges that overlap, leave holes or pass the end of the file.
 * @throws CheckpointError that names the file and, where one is at fault, the tensor.
 * @see https://huggingface.co/docs/safetensors, "Format"
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const fail = (message: string): never => {
    throw new CheckpointError(path, message);
  };
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) =>
    fail(error.code === 'ENOENT' ? 'no such file' : `cannot be opened (${error.code ?? error.message})`),
  );
  try {
    const { size } = await file.stat();
    if (size < 8) fail(`not a safetensors file: ${size} bytes, less than the 8 of its length field`);
    const prefix = Buffer.alloc(8);
    await file.read(prefix, 0, 8, 0);
    const length = prefix.readBigUInt64LE();
    if (length > BigInt(MAX_HEADER_BYTES) || length > BigInt(size - 8)) {
      fail(`not a safetensors file: its header claims ${length} bytes, the file has ${size}`);
    }
    const bytes = Buffer.alloc(Number(length));
    await file.read(bytes, 0, bytes.length, 8);
    return parseSafetensorsHeader(path, bytes, size);
  } finally {
    await file.close();
  }
}

/** Checks and reads the JSON part of a header. `fileSize` is in bytes. */
function parseSafetensorsHeader(path: string, bytes: Uint8Array, fileSize: number): SafetensorsHeader {
  const { text, json } = parseJson(path, bytes);
  const names = topLevelKeys(text);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) throw new CheckpointError(path, `the tensor "${twice}" is listed twice`, twice);
  const dataOffset = 8 + bytes.byteLength;
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => tensorEntry(path, name, value, dataOffset, fileSize))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength || (a.name < b.name ? -1 : 1));
  let end = dataOffset;
  for (const entry of entries) {
    if (entry.offset < end) {
      throw new CheckpointError(path, `the bytes of tensor "${entry.name}" overlap another's`, entry.name);
    }
    if (entry.offset > end) {
      const hole = `${entry.offset - end} bytes before tensor "${entry.name}" belong to no tensor`;
      throw new CheckpointError(path, hole, entry.name);
    }
    end += entry.byteLength;
  }
  if (end !== fileSize) {
    throw new CheckpointError(path, `${fileSize - end} bytes at the end of the file belong to no tensor`);
  }
  return { tensors: new Map(entries.map((e) => [e.name, e])), metadata: metadataOf(path, json), dataOffset };
}

function parseJson(path: string, bytes: Uint8Array): { text: string; json: Record<string, unknown> } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json: unknown = JSON.parse(text);
    if (isRecord(json) && text.startsWith('{')) return { text, json };
  } catch {
    // The sentence below covers bad UTF-8 and bad JSON alike.
  }
  throw new CheckpointError(path, 'not a safetensors file: its header is not a JSON object');
}

function tensorEntry(
  path: string,
  name: string,
  value: unknown,
  dataOffset: number,
  fileSize: number,
): TensorEntry {
  const fail = (message: string): never => {
    throw new CheckpointError(path, `the tensor "${name}" ${message}`, name);
  };
  if (!isRecord(value)) return fail('is not described by an object');
  const { dtype, shape, data_offsets: range } = value;
  const known = typeof dtype === 'string' && Object.hasOwn(numberFormats, dtype);
  const format = known ? numberFormats[dtype] : undefined;
  if (format === undefined)
    return fail(`has the unknown number format ${JSON.stringify(dtype) ?? 'nothing'}`);
  if (!isCounts(shape)) return fail(`has the shape ${JSON.stringify(shape)}, not a list of counts`);
  if (!isCounts(range) || range.length !== 2)
    return fail(`has the range ${JSON.stringify(range)}, not two offsets`);
  const [start, end] = range as [number, number];
  const byteLength = shape.reduce((product, n) => product * n, format.bytes);
  if (end < start || end - start !== byteLength) {
    return fail(`has ${end - start} bytes where its shape [${shape}] of ${dtype} needs ${byteLength}`);
  }
  if (dataOffset + end > fileSize)
    return fail(`ends ${dataOffset + end - fileSize} bytes after the end of the file`);
  return { name, format: dtype as string, shape, offset: dataOffset + start, byteLength };
}

function metadataOf(path: string, json: Record<string, unknown>): { readonly [key: string]: string } {
  const metadata = Object.hasOwn(json, '__metadata__') ? json.__metadata__ : {};
  if (!isRecord(metadata) || Object.values(metadata).some((v) => typeof v !== 'string')) {
    throw new CheckpointError(path, 'its "__metadata__" is not an object of strings');
  }
  return metadata as { readonly [key: string]: string };
}

/** The keys of a valid JSON object as written, duplicates included (which `JSON.parse` hides). */
function topLevelKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (part === '{' || part === '[') depth++;
    else if (part === '}' || part === ']') depth--;
    else if (depth === 1 && part.endsWith(':')) keys.push(JSON.parse(part.slice(0, -1).trimEnd()) as string);
  }
  return keys;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
