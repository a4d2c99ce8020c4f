/** Writes a model as one GGUF file, tensor by tensor. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
import type { FileHandle } from 'node:fs/promises';
import type { Policy } from '../stages/stage.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { GgufError } from './gguf-error.ts';
import { bytesOfNumber, bytesOfText, bytesOfValue, type Entries, text, u32 } from './metadata.ts';
import { modelMetadata } from './model-metadata.ts';
import { byteLengthOf, type NumberTypeName, numberTypes } from './number-types.ts';
import { fallenBack, type PlannedTensor, plannedTensors } from './planned-tensors.ts';
import { architectureOf } from './tensor-names.ts';
import { vocabularyMetadata } from './vocabulary.ts';

export interface GgufOptions {
  /** Of the matrices. */
  readonly type: NumberTypeName;
  readonly name?: string | undefined;
  /** More keys with a text: `general.license`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Of every tensor's first byte. */
const ALIGNMENT = 32;
/** Numbers that are encoded at once. */
const CHUNK_NUMBERS = 1 << 20;

/**
 * Returns words for the log: what is f16 against the wish, which texts llama.cpp gives other tokens.
 * Errors: GgufError for what llama.cpp does not compute or would tokenize otherwise, StoreError where the file cannot be
 * written.
 */
export async function writeGguf(
  path: string,
  policy: Policy,
  options: GgufOptions,
): Promise<{ readonly notes: readonly string[] }> {
  const { family, config } = policy;
  const architecture = architectureOf(config);
  const model = modelMetadata(family, config);
  const vocabulary = vocabularyMetadata(policy, family.shape(config).vocabularySize);
  const tensors = [...plannedTensors(policy, options.type), ...divisorsTensor(model.rotaryDivisors)];
  const entries: Entries = [
    ['general.architecture', text(architecture)],
    ['general.type', text('model')],
    ['general.name', text(options.name ?? config.model_type)],
    ['general.file_type', u32(FILE_TYPES[options.type])],
    ['general.quantization_version', u32(2)],
    ...Object.entries(options.metadata ?? {}).map(([key, value]): Entries[number] => [key, text(value)]),
    ...model.entries.map(([key, value]): Entries[number] => [`${architecture}.${key}`, value]),
    ...vocabulary.entries,
  ];
  await writeFileAtomically(path, async (file) => {
    await writeAll(file, headerOf(entries, tensors));
    for (const tensor of tensors) await writeTensor(file, tensor);
  });
  return { notes: [...model.notes, ...vocabulary.notes, ...fallenBack(tensors, options.type)] };
}

/** `general.file_type` */
const FILE_TYPES: { readonly [K in NumberTypeName]: number } = { f32: 0, f16: 1, q4_0: 2, q8_0: 7 };

function divisorsTensor(divisors: Float32Array | undefined): PlannedTensor[] {
  if (divisors === undefined) return [];
  const shape = [divisors.length];
  const read = () => ({ dtype: 'f32' as const, shape, data: divisors });
  return [{ name: 'rope_freqs.weight', weight: undefined, arrangement: 'same', shape, type: 'f32', read }];
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const countOf = ({ shape }: PlannedTensor): number => shape.reduce((product, n) => product * n, 1);

function headerOf(entries: Entries, tensors: readonly PlannedTensor[]): Buffer {
  let offset = 0;
  const infos = tensors.map((tensor) => {
    const type = numberTypes[tensor.type];
    const info = Buffer.concat([
      bytesOfText(tensor.name),
      bytesOfNumber('u32', tensor.shape.length),
      // The fastest dimension first.
      ...[...tensor.shape].reverse().map((size) => bytesOfNumber('u64', BigInt(size))),
      bytesOfNumber('u32', type.id),
      bytesOfNumber('u64', BigInt(offset)),
    ]);
    offset += aligned(byteLengthOf(type, countOf(tensor)));
    return info;
  });
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    bytesOfNumber('u32', 3),
    bytesOfNumber('u64', BigInt(tensors.length)),
    bytesOfNumber('u64', BigInt(entries.length)),
    ...entries.flatMap(([key, value]) => [bytesOfText(key), bytesOfValue(value)]),
    ...infos,
  ]);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length)]);
}

async function writeTensor(file: FileHandle, tensor: PlannedTensor): Promise<void> {
  const type = numberTypes[tensor.type];
  const numbers = tensor.read().data as Float32Array;
  if (numbers.length !== countOf(tensor))
    throw new GgufError(
      `the tensor "${tensor.weight}" has ${numbers.length} numbers where the model needs ${countOf(tensor)}`,
    );
  let written = 0;
  for (let from = 0; from < numbers.length; from += CHUNK_NUMBERS) {
    const chunk = numbers.subarray(from, from + CHUNK_NUMBERS);
    mustFit(tensor, chunk);
    const bytes = new Uint8Array(byteLengthOf(type, chunk.length));
    type.encode(chunk, new DataView(bytes.buffer));
    await writeAll(file, bytes);
    written += bytes.length;
  }
  await writeAll(file, new Uint8Array(aligned(written) - written));
}

/** f16, and the scales of the blocks, end at 65,504. */
function mustFit({ type, weight }: PlannedTensor, numbers: Float32Array): void {
  const limit = { f32: 3.5e38, f16: 65_504, q8_0: 65_504 * 127, q4_0: 65_504 * 8 }[type];
  const wrong = numbers.find((x) => !(Math.abs(x) <= limit));
  if (wrong === undefined) return;
  const which = Number.isFinite(wrong) ? `${wrong}, which ${type} does not hold` : String(wrong);
  throw new GgufError(
    `the tensor "${weight}" holds ${which}`,
    Number.isFinite(wrong) ? ['write it as f32'] : [],
  );
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}
