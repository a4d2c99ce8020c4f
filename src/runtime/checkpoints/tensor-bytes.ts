/** The bytes of one tensor of a safetensors file, and what they become. */
import { closeSync, readSync } from 'node:fs';
import type { Tensor } from '../programs/ops.ts';
import { CheckpointError, quoted } from './checkpoint-error.ts';
import { openRegularNow } from './model-files.ts';
import { numberFormats } from './number-formats.ts';
import type { TensorEntry } from './safetensors-header.ts';

/** One system call moves less than 2 GiB. */
export const CHUNK_BYTES = 1 << 30;

export const endsInside = (path: string, { name }: TensorEntry): CheckpointError =>
  new CheckpointError(path, `the file ends inside the tensor ${quoted(name)}`, name);

/** @throws CheckpointError for a number format that ftc does not read, or a value that does not fit 32 bits. */
export function tensorOf(path: string, { name, format, shape }: TensorEntry, bytes: Uint8Array): Tensor {
  const { dtype, convert } = numberFormats[format]!;
  if (dtype === undefined || convert === undefined) {
    const message = `the tensor ${quoted(name)} has the number format ${format}, which ftc does not read`;
    throw new CheckpointError(path, message, name);
  }
  try {
    return { dtype, shape, data: convert(bytes) };
  } catch (error) {
    throw new CheckpointError(path, `the tensor ${quoted(name)}: ${(error as Error).message}`, name);
  }
}

/**
 * Reads one tensor at once, into memory of its own: weights are read when a program asks for them.
 * @throws CheckpointError where the file is not there any more, or is shorter than it was.
 */
export function readTensorNow(path: string, entry: TensorEntry): Tensor {
  const file = openRegularNow(path);
  try {
    const bytes = new Uint8Array(entry.byteLength);
    for (let done = 0; done < bytes.length; ) {
      const wanted = Math.min(CHUNK_BYTES, bytes.length - done);
      const read = readSync(file, bytes, done, wanted, entry.offset + done);
      if (read === 0) throw endsInside(path, entry);
      done += read;
    }
    return tensorOf(path, entry, bytes);
  } finally {
    closeSync(file);
  }
}
