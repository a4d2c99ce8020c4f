import { parseBoundedJson, RepeatedKey } from './bounded-json.ts';
import { CheckpointError, quoted } from './checkpoint-error.ts';
import { isRecord, openRegular } from './model-files.ts';
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
/** Some 200,000 tensors. */
const LIMITS = { depth: 8, values: 2_000_000, uniqueKeys: true } as const;

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
  const file = await openRegular(path);
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
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 8);
    if (bytesRead < bytes.length) fail('the file ends inside its header');
    return parseSafetensorsHeader(path, bytes, size);
  } finally {
    await file.close();
  }
}

/** Checks and reads the JSON part of a header. `fileSize` is in bytes. */
function parseSafetensorsHeader(path: string, bytes: Uint8Array, fileSize: number): SafetensorsHeader {
  const json = parseJson(path, bytes);
  const dataOffset = 8 + bytes.byteLength;
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => tensorEntry(path, name, value, dataOffset, fileSize))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength || (a.name < b.name ? -1 : 1));
  let end = dataOffset;
  for (const entry of entries) {
    if (entry.offset < end) {
      throw new CheckpointError(
        path,
        `the bytes of tensor ${quoted(entry.name)} overlap another's`,
        entry.name,
      );
    }
    if (entry.offset > end) {
      const hole = `${entry.offset - end} bytes before tensor ${quoted(entry.name)} belong to no tensor`;
      throw new CheckpointError(path, hole, entry.name);
    }
    end += entry.byteLength;
  }
  if (end !== fileSize) {
    throw new CheckpointError(path, `${fileSize - end} bytes at the end of the file belong to no tensor`);
  }
  return { tensors: new Map(entries.map((e) => [e.name, e])), metadata: metadataOf(path, json), dataOffset };
}

function parseJson(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const json = bytes[0] === OPENING ? parseBoundedJson(bytes, LIMITS) : undefined;
    if (isRecord(json)) return json;
  } catch (error) {
    if (error instanceof RepeatedKey)
      throw new CheckpointError(path, `${quoted(error.key)} is listed twice in its header`, error.key);
    const reason = `not a safetensors file: its header ${(error as Error).message}`;
    throw new CheckpointError(path, reason);
  }
  throw new CheckpointError(path, 'not a safetensors file: its header is not a JSON object');
}

const OPENING = '{'.charCodeAt(0);

function tensorEntry(
  path: string,
  name: string,
  value: unknown,
  dataOffset: number,
  fileSize: number,
): TensorEntry {
  const fail = (message: string): never => {
    throw new CheckpointError(path, `the tensor ${quoted(name)} ${message}`, name);
  };
  if (!isRecord(value)) return fail('is not described by an object');
  const { dtype, shape, data_offsets: range } = value;
  const known = typeof dtype === 'string' && Object.hasOwn(numberFormats, dtype);
  const format = known ? numberFormats[dtype] : undefined;
  if (format === undefined) return fail(`has the unknown number format ${quoted(dtype)}`);
  if (!isCounts(shape)) return fail(`has the shape ${quoted(shape)}, not a list of counts`);
  if (!isCounts(range) || range.length !== 2) return fail(`has the range ${quoted(range)}, not two offsets`);
  const [start, end] = range as [number, number];
  const byteLength = shape.reduce((product, n) => product * n, format.bytes);
  if (end < start || end - start !== byteLength) {
    return fail(`has ${end - start} bytes where its shape ${quoted(shape)} of ${dtype} needs ${byteLength}`);
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

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
