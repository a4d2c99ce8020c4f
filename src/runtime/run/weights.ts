/**
 * A model's weights, read from their file when they are first asked for and kept from then on; one that is only wanted in
 * another form is read without being kept, so that a base is quantized with one tensor in f32 at a time.
 */
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import { type PlacedTensor, type PlacedTensors, tensorsOfFile } from '../checkpoints/checkpoint-tensors.ts';
import { readTensorNow } from '../checkpoints/tensor-bytes.ts';
import type { PeftMerge } from '../methods/merge-peft.ts';
import type { Tensor } from '../programs/ops.ts';
import { type StoredNumbers, storedTensor } from '../programs/stored-numbers.ts';
import {
  fromBitsandbytes,
  quantizedWeights,
  type StoredTensor,
} from '../quantization/bitsandbytes-layout.ts';
import { dequantize } from '../quantization/dequantize.ts';
import { QuantizationError } from '../quantization/quantization-error.ts';
import { quantize } from '../quantization/quantize.ts';
import {
  type QuantizationOptions,
  type QuantizedTensor,
  sameKind,
} from '../quantization/quantized-tensor.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import type { CodesAndAdapters, Weights } from '../stages/stage.ts';

/**
 * Weights of a safetensors file; those that bitsandbytes' layout holds in codes appear under their own names.
 * @param turned Weights that are (in, out) here, and (out, in) in codes: bitsandbytes turns GPT-2's weights before it quantizes them.
 * @throws CheckpointError for a damaged file.
 */
export async function openWeights(path: string, turned: ReadonlySet<string>): Promise<LazyWeights> {
  const tensors = await tensorsOfFile(path);
  return weightsIn(tensors, new Map(logicalTensors(tensors).map(({ name }) => [name, name])), turned);
}

/** A weight as a checkpoint has it: one tensor, or the parts that bitsandbytes stores in its place. */
export interface LogicalTensor extends PlacedTensor {
  /** Names of the parts beside its codes; absent where it is one tensor. */
  readonly parts?: readonly string[];
}

/** Number formats that an engine can take as they lie in the file. */
const MAPPED: { readonly [format: string]: StoredNumbers['format'] } = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
};

/** What a checkpoint holds, the parts of weights in codes not counted by themselves. */
export function logicalTensors(tensors: PlacedTensors): LogicalTensor[] {
  const inCodes = quantizedWeights(tensors.keys());
  const parts = new Set([...inCodes.values()].flat());
  return [...tensors.values()].flatMap((tensor) => {
    if (parts.has(tensor.name)) return [];
    const others = inCodes.get(tensor.name);
    return [others === undefined ? tensor : { ...tensor, parts: others }];
  });
}

/**
 * Weights of a checkpoint under the model's names, each read when it is asked for.
 * @param stored The name in the checkpoint of each weight.
 * @param turned As `openWeights` takes it, the model's names.
 */
export function weightsIn(
  tensors: PlacedTensors,
  stored: ReadonlyMap<string, string>,
  turned: ReadonlySet<string>,
): LazyWeights {
  const inCodes = quantizedWeights(tensors.keys());
  const now = (name: string): Tensor => {
    const place = tensors.get(name)!;
    return readTensorNow(place.file, place);
  };
  const later = (name: string): Tensor => {
    const { file, offset, format, shape } = tensors.get(name)!;
    const known = MAPPED[format];
    if (known === undefined) return now(name);
    return storedTensor(shape, { file, offset, format: known }, () => now(name).data as Float32Array);
  };
  const codes = (weight: string): QuantizedTensor | undefined => {
    const name = stored.get(weight)!;
    const others = inCodes.get(name);
    if (others === undefined) return undefined;
    const all = [name, ...others].map((part) => [part, partOf(tensors, part, now(part))] as const);
    return inFile(tensors.get(name)!.file, () => fromBitsandbytes(name, new Map(all)));
  };
  return new LazyWeights({
    names: [...stored.keys()],
    read(name) {
      const value = codes(name);
      if (value === undefined) return later(stored.get(name)!);
      return turned.has(name) ? transposed(valuesOf(value)) : valuesOf(value);
    },
    codes: (name) => (turned.has(name) ? undefined : codes(name)),
  });
}

/** What is wrong with codes, as an error of the file that they lie in. */
export function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof QuantizationError)) throw error;
    throw new CheckpointError(file, error.message, error.tensor, error.help);
  }
}

const valuesOf = (value: QuantizedTensor): Tensor => ({
  dtype: 'f32',
  shape: value.shape,
  data: dequantize(value),
});

/** (n, m) → (m, n) */
export function transposed({ shape: [rows, columns], data }: Tensor): Tensor {
  const turned = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++)
    for (let c = 0; c < columns!; c++) turned[c * rows! + r] = data[r * columns! + c]!;
  return { dtype: 'f32', shape: [columns!, rows!], data: turned };
}

function partOf(tensors: PlacedTensors, name: string, { dtype, shape, data }: Tensor): StoredTensor {
  if (dtype === 'u8') return { dtype: 'U8', shape, data: data as Uint8Array };
  if (dtype === 'f32') return { dtype: 'F32', shape, data: data as Float32Array };
  const message = `the tensor ${quoted(name)} holds neither bytes nor floats`;
  throw new CheckpointError(tensors.get(name)!.file, message, name);
}

const sharedOf = (base: Weights, name: string, keep: boolean): Tensor =>
  keep ? base.get(name)! : base.read(name);

/** Some weights replaced, the others read as before. */
export function withChanged(base: Weights, changed: ReadonlyMap<string, Tensor>): LazyWeights {
  return new LazyWeights({
    names: [...base.keys()],
    read: (name, keep) => changed.get(name) ?? sharedOf(base, name, keep),
    codes: (name) => (changed.has(name) ? undefined : base.codes(name)),
    beside: (name) => (changed.has(name) ? undefined : base.beside(name)),
  });
}

/** Weights that an adapter changes, each merged when it is asked for; the others read as before. */
export function withMerged(base: Weights, { changed, merge, added }: PeftMerge): LazyWeights {
  const found = new Map<string, CodesAndAdapters | undefined>();
  const beside = (name: string): CodesAndAdapters | undefined => {
    const adapter = added(name);
    const before = base.beside(name);
    const codes = before?.codes ?? base.codes(name);
    if (adapter === undefined || codes === undefined) return undefined;
    return { codes, adapters: [...(before?.adapters ?? []), adapter] };
  };
  return new LazyWeights({
    names: [...base.keys()],
    read: (name, keep) => (changed.has(name) ? merge(name) : sharedOf(base, name, keep)),
    codes: (name) => (changed.has(name) ? undefined : base.codes(name)),
    beside(name) {
      if (!changed.has(name)) return base.beside(name);
      if (!found.has(name)) found.set(name, beside(name));
      return found.get(name);
    },
  });
}

/** The values that codes stand for, in place of the weights that were quantized. */
export function throughCodes(
  base: Weights,
  { weights, ...options }: QuantizationOptions & { readonly weights: readonly string[] },
): LazyWeights {
  const quantized = new Set(weights);
  const codes = (name: string): QuantizedTensor | undefined =>
    quantized.has(name) ? inCodes(base, name, options) : base.codes(name);
  return new LazyWeights({
    names: [...base.keys()],
    read: (name, keep) => (quantized.has(name) ? valuesOf(codes(name)!) : sharedOf(base, name, keep)),
    codes,
    beside: (name) => (quantized.has(name) ? undefined : base.beside(name)),
  });
}

/** The codes of the file where they are of this kind; else the weight is quantized. */
function inCodes(base: Weights, name: string, options: QuantizationOptions): QuantizedTensor {
  const stored = base.codes(name);
  if (stored !== undefined && sameKind(stored, options)) return stored;
  const { shape, data } = base.read(name);
  return quantize({ shape, data: data as Float32Array }, options, name);
}
