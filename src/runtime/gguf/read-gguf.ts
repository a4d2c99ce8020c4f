/** Reads GGUF files of versions 2 and 3. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import type { Tensor } from '../programs/ops.ts';
import { HeaderReader } from './header-reader.ts';
import type { Metadata } from './metadata.ts';
import { byteLengthOf, type NumberType, numberTypes } from './number-types.ts';

export interface GgufTensor {
  readonly name: string;
  /** Rows first. */
  readonly shape: readonly number[];
  /** As the file's number says it; undefined for one that ftc does not read. */
  readonly type: NumberType | undefined;
  /** In the file. */
  readonly offset: number;
  /** f32. Errors: CheckpointError for a number type that ftc does not read, or a file that has changed. */
  read(): Tensor;
}

export interface GgufFile {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** No tensor is read before it is asked for. Errors: CheckpointError for a damaged file. */
export function readGguf(path: string): GgufFile {
  return withFile(path, (file) => {
    const size = fstatSync(file).size;
    const reader = new HeaderReader(path, file, size);
    if (reader.left < 24 || reader.bytes(4).toString('latin1') !== 'GGUF')
      throw new CheckpointError(path, 'is no GGUF file');
    const version = reader.u32();
    if (version !== 2 && version !== 3)
      throw new CheckpointError(path, `has the GGUF version ${version}, and ftc reads 2 and 3`);
    const tensorCount = reader.count('tensors', LEAST_TENSOR_BYTES);
    const metadata = readMetadata(reader, reader.count('keys', LEAST_KEY_BYTES));
    const infos = Array.from({ length: tensorCount }, () => readInfo(reader));
    const alignment = alignmentOf(reader, metadata);
    const start = Math.ceil(reader.position / alignment) * alignment;
    const tensors = infos.map((info) =>
      placed(path, { ...info, offset: start + info.offset }, size, alignment),
    );
    checkApart(path, tensors);
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    if (byName.size < tensors.length) throw new CheckpointError(path, 'names a tensor twice');
    return { metadata, tensors: byName };
  });
}

const LEAST_KEY_BYTES = 8 + 4 + 1;
const LEAST_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;
const MOST_DIMENSIONS = 4;

function readMetadata(reader: HeaderReader, count: number): Metadata {
  const metadata: Map<string, ReturnType<HeaderReader['value']>> = new Map();
  for (let i = 0; i < count; i++) {
    const key = reader.text();
    if (metadata.has(key)) throw reader.error(`names the key ${key} twice`);
    metadata.set(key, reader.value(key));
  }
  return metadata;
}

interface Info {
  readonly name: string;
  readonly shape: readonly number[];
  readonly typeId: number;
  readonly offset: number;
}

function readInfo(reader: HeaderReader): Info {
  const name = reader.text();
  const dimensions = reader.u32();
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
    throw reader.error(`the tensor "${name}" has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () =>
    reader.size64(`a dimension of the tensor "${name}"`),
  ).reverse();
  return { name, shape, typeId: reader.u32(), offset: reader.size64(`the offset of the tensor "${name}"`) };
}

function alignmentOf(reader: HeaderReader, metadata: Metadata): number {
  const given = metadata.get('general.alignment');
  const alignment = given === undefined ? 32 : given.value;
  if (typeof alignment === 'number' && alignment >= 8 && alignment <= 1 << 16 && alignment % 8 === 0)
    return alignment;
  throw reader.error(`has the alignment ${String(alignment).slice(0, 20)}`);
}

function placed(
  path: string,
  { name, shape, typeId, offset }: Info,
  size: number,
  alignment: number,
): GgufTensor & { end: number } {
  const wrong = (what: string) => new CheckpointError(path, `the tensor "${name}" ${what}`, name);
  const type = Object.values(numberTypes).find(({ id }) => id === typeId);
  const count = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(count) || count < 1) throw wrong(`has the shape [${shape}]`);
  if (type !== undefined && shape.at(-1)! % type.block !== 0)
    throw wrong(`has rows of ${shape.at(-1)} numbers, which are no whole blocks of ${type.name}`);
  if (offset % alignment !== 0) throw wrong(`does not begin at a multiple of ${alignment}`);
  // One of a type that ftc does not know takes a byte at least.
  const length = type === undefined ? 1 : byteLengthOf(type, count);
  const end = offset + length;
  if (!(end <= size)) throw wrong('does not lie within the file');
  return {
    name,
    shape,
    type,
    offset,
    end,
    read: () => readTensor(path, { name, shape, type, typeId, offset, count }),
  };
}

/** Errors: CheckpointError where two tensors share bytes. */
function checkApart(path: string, tensors: readonly (GgufTensor & { readonly end: number })[]): void {
  const ordered = [...tensors].sort((a, b) => a.offset - b.offset);
  ordered.slice(1).forEach((tensor, i) => {
    const before = ordered[i]!;
    if (tensor.offset >= before.end) return;
    throw new CheckpointError(path, `the tensors "${before.name}" and "${tensor.name}" overlap`, tensor.name);
  });
}

const CHUNK_BLOCKS = 1 << 16;

interface Placed extends Info {
  readonly type: NumberType | undefined;
  readonly count: number;
}

function readTensor(path: string, { name, shape, type, typeId, offset, count }: Placed): Tensor {
  if (type === undefined) {
    const known = Object.keys(numberTypes).join(', ');
    throw new CheckpointError(
      path,
      `the tensor "${name}" has the number type ${typeId}; ftc reads ${known}`,
      name,
    );
  }
  const data = new Float32Array(count);
  withFile(path, (file) => {
    const step = CHUNK_BLOCKS * type.block;
    for (let from = 0; from < count; from += step) {
      const numbers = data.subarray(from, from + step);
      const bytes = new Uint8Array(byteLengthOf(type, numbers.length));
      const at = offset + byteLengthOf(type, from);
      for (let done = 0; done < bytes.length; ) {
        const read = readSync(file, bytes, done, bytes.length - done, at + done);
        if (read === 0) throw new CheckpointError(path, `the file ends inside the tensor "${name}"`, name);
        done += read;
      }
      type.decode(new DataView(bytes.buffer), numbers);
    }
  });
  return { dtype: 'f32', shape, data };
}

function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new CheckpointError(path, `cannot be opened (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}
