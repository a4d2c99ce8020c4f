import type { FileHandle } from 'node:fs/promises';
import type { DType, Shape, Tensor } from '../programs/ops.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { CheckpointError, quoted } from './checkpoint-error.ts';
import { openRegular } from './model-files.ts';
import { numberFormats } from './number-formats.ts';
import { readSafetensorsHeader, type SafetensorsHeader, type TensorEntry } from './safetensors-header.ts';
import { CHUNK_BYTES, endsInside, tensorOf } from './tensor-bytes.ts';

export { readSafetensorsHeader } from './safetensors-header.ts';

/** What is written: tensors, and numbers that are not in memory but come chunk by chunk when their turn is. */
export type WrittenTensor =
  | Tensor
  | { readonly dtype: WrittenType; readonly shape: Shape; chunks(): AsyncIterable<Uint8Array> };

/** Numbers of two bytes are written, and read as f32. */
export type WrittenType = DType | 'f16' | 'bf16';

const FORMAT_OF: { readonly [K in WrittenType]: string } = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  i32: 'I32',
  bool: 'BOOL',
  u8: 'U8',
  i8: 'I8',
};

/** A file whose tensors are read one at a time. */
export interface OpenSafetensors {
  readonly header: SafetensorsHeader;
  /** @throws CheckpointError for a name it does not have, or a value that does not fit 32 bits. */
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

/** @throws CheckpointError for a damaged file. */
export async function openSafetensors(path: string): Promise<OpenSafetensors> {
  const header = await readSafetensorsHeader(path);
  const file = await openRegular(path);
  return {
    header,
    async read(name) {
      const entry = header.tensors.get(name);
      if (entry === undefined) throw new CheckpointError(path, `has no tensor ${quoted(name)}`, name);
      return readTensor(file, path, entry);
    },
    close: () => file.close(),
  };
}

/**
 * Reads tensors: all of them, or those named, each into memory of its own. f16, bf16 and f64 become f32; bytes
 * stay bytes, every other integer becomes i32.
 * @throws CheckpointError for a damaged file, a name it does not have, or a value that does not fit 32 bits.
 */
export async function readSafetensors(path: string, names?: Iterable<string>): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(path);
  const wanted = names === undefined ? [...file.header.tensors.keys()] : [...names];
  const result = new Map<string, Tensor>();
  try {
    for (const name of wanted) result.set(name, await file.read(name));
  } finally {
    await file.close();
  }
  return result;
}

async function readTensor(file: FileHandle, path: string, entry: TensorEntry): Promise<Tensor> {
  const bytes = new Uint8Array(entry.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const wanted = Math.min(CHUNK_BYTES, bytes.length - done);
    const { bytesRead } = await file.read(bytes, done, wanted, entry.offset + done);
    if (bytesRead === 0) throw endsInside(path, entry);
    done += bytesRead;
  }
  return tensorOf(path, entry, bytes);
}

/**
 * Writes tensors atomically. The same tensors and metadata give the same bytes: widest numbers first (so that each
 * tensor is aligned to its own numbers), then by name; the header is padded with spaces to a multiple of 8.
 * @throws StoreError `disk-full` or `no-permission`
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WrittenTensor>,
  metadata: { readonly [key: string]: string } = { format: 'pt' },
): Promise<void> {
  const ordered = [...tensors].sort(
    ([a, x], [b, y]) => bytesOfOne(y.dtype) - bytesOfOne(x.dtype) || (a < b ? -1 : 1),
  );
  await writeFileAtomically(path, async (file) => {
    let position = 0;
    const write = async (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) {
        const wanted = Math.min(CHUNK_BYTES, bytes.length - done);
        const { bytesWritten } = await file.write(bytes, done, wanted, position);
        done += bytesWritten;
        position += bytesWritten;
      }
    };
    await write(headerOf(path, ordered, metadata));
    for (const [name, tensor] of ordered) {
      const end = position + byteLengthOf(tensor);
      if ('chunks' in tensor) for await (const chunk of tensor.chunks()) await write(chunk);
      else await write(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
      if (position !== end)
        throw new CheckpointError(path, `the tensor "${name}" came with other bytes`, name);
    }
  });
}

const bytesOfOne = (dtype: WrittenType): number => numberFormats[FORMAT_OF[dtype]]!.bytes;
const countOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);
export const byteLengthOf = ({ dtype, shape }: WrittenTensor): number => bytesOfOne(dtype) * countOf(shape);

function headerOf(
  path: string,
  tensors: readonly (readonly [string, WrittenTensor])[],
  metadata: { readonly [key: string]: string },
): Uint8Array {
  const entries: [string, unknown][] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    entries.push(['__metadata__', Object.fromEntries(keys.map((key) => [key, metadata[key]]))]);
  }
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const { dtype, shape } = tensor;
    const count = countOf(shape);
    if ('data' in tensor && count !== tensor.data.length) {
      const message = `the tensor "${name}" has ${tensor.data.length} numbers where its shape [${shape}] needs ${count}`;
      throw new CheckpointError(path, message, name);
    }
    const end = offset + byteLengthOf(tensor);
    entries.push([name, { dtype: FORMAT_OF[dtype], shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  // Written by hand because an object would move keys that look like integers to the front.
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const length = Buffer.byteLength(json);
  const padded = Math.ceil(length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  bytes.write(json, 8);
  return bytes;
}
