/** Directories of models and adapters that transformers and PEFT wrote, and what they compute (see make.py). */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../../../src/runtime/checkpoints/safetensors.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

export const modelDirectory = (name: string): string => join(here, 'models', name);
export const adapterDirectory = (name: string): string => join(here, 'adapters', name);
export const goldenDirectory = (name: string): string => join(here, '..', 'golden', name);

export interface ExpectedRow {
  readonly ids: Int32Array;
  /** Of a language model, (T, V) flat. */
  readonly logits: Float32Array | undefined;
  /** Of a reward model. */
  readonly reward: number | undefined;
}

/** The rows of a folder's expected.safetensors, each by itself. */
export async function expectedRows(directory: string): Promise<ExpectedRow[]> {
  const all = await readSafetensors(join(directory, 'expected.safetensors'));
  const { shape, data } = all.get('input_ids')!;
  const [rows, length] = shape as [number, number];
  const logits = all.get('logits');
  const size = logits && logits.data.length / rows;
  return Array.from({ length: rows }, (_, row) => ({
    ids: Int32Array.from(data.subarray(row * length, (row + 1) * length)),
    logits: logits && (logits.data.subarray(row * size!, (row + 1) * size!) as Float32Array),
    reward: all.get('rewards')?.data[row],
  }));
}
