/** A model as `model.onnx` for generation with onnxruntime alone, and what the file answers. */
import { join } from 'node:path';
import {
  ALIGNMENT,
  embedWeights,
  generationModel,
  placeWeights,
} from '../executables/onnx/generation-model.ts';
import { type FedTensor, openModelFile } from '../executables/onnx/model-file.ts';
import { encodeModel } from '../executables/onnx/protobuf.ts';
import { generationProgram } from '../generation/generation-program.ts';
import type { Tensor } from '../programs/ops.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import type { Policy } from '../stages/stage.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import type { WrittenFiles } from './export-files.ts';
import { withDtype, writeBeside } from './model-files-written.ts';
import type { Answers } from './parity.ts';
import { readWeight } from './written-weights.ts';

const MODEL = 'model.onnx';
const WEIGHTS = 'model.onnx_data';
/** Above this the weights lie in a file of their own: one file of more than 2 GB cannot be read. */
const LARGEST_INSIDE = 1_000_000_000;

/** Errors: StoreError where the files cannot be written. */
export async function writeOnnx(
  directory: string,
  policy: Policy,
  largestInside = LARGEST_INSIDE,
): Promise<WrittenFiles> {
  const { family, config, weights } = policy;
  const described = generationModel(
    generationProgram(family, config),
    weights instanceof LazyWeights ? weights.unkept() : weights,
  );
  const read = (name: string): Tensor => readWeight(weights, name);
  const { model, names, bytes } = placeWeights(described, WEIGHTS);
  const isInside = bytes <= largestInside;
  if (!isInside) await writeWeights(join(directory, WEIGHTS), names, read);
  await writeFileAtomically(
    join(directory, MODEL),
    encodeModel(isInside ? embedWeights(described, read) : model),
  );
  const beside = await writeBeside(directory, { ...policy, config: withDtype(config, 'f32') });
  return { files: [...beside, MODEL, ...(isInside ? [] : [WEIGHTS])], notes: [] };
}

/** One after another, each read when its turn is. */
function writeWeights(path: string, names: readonly string[], read: (name: string) => Tensor): Promise<void> {
  return writeFileAtomically(path, async (file) => {
    for (const name of names) {
      const { data } = read(name);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const rest = -bytes.length & (ALIGNMENT - 1);
      for (const part of [bytes, new Uint8Array(rest)])
        for (let done = 0; done < part.length; ) done += (await file.write(part, done)).bytesWritten;
    }
  });
}

/** Logits (T, V) of the file: all tokens but the last at once, the last one on their keys and values. */
export function answersOfOnnx(directory: string, model: Pick<Policy, 'family' | 'config'>): Answers {
  return async (ids) => {
    const file = await openModelFile(join(directory, MODEL));
    try {
      const most = ids.length - 1;
      const first = await file.run(feeds(model, ids.subarray(0, most), new Map()));
      const second = await file.run(feeds(model, ids.subarray(most), first));
      return joined([first, second].map((outputs) => outputs.get('logits')!.data as Float32Array));
    } finally {
      await file.dispose();
    }
  };
}

function joined([first, second]: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(first!.length + second!.length);
  all.set(first!);
  all.set(second!, first!.length);
  return all;
}

/** Of one sequence that goes on from `present`. */
function feeds(
  { family, config }: Pick<Policy, 'family' | 'config'>,
  ids: Int32Array,
  present: ReadonlyMap<string, FedTensor>,
): Map<string, FedTensor> {
  const { blocks, keyValueHeads, headSize } = family.shape(config);
  const seen = present.get('present.0.key')?.shape[2] ?? 0;
  const list = (values: ArrayLike<number>): FedTensor => ({
    shape: [1, values.length],
    data: BigInt64Array.from(Array.from(values, BigInt)),
  });
  const result = new Map<string, FedTensor>([
    ['input_ids', list(ids)],
    ['attention_mask', list(new Int32Array(seen + ids.length).fill(1))],
    ['position_ids', list(Int32Array.from(ids, (_, i) => seen + i))],
  ]);
  const nothing = { shape: [1, keyValueHeads, 0, headSize], data: new Float32Array() };
  for (let i = 0; i < blocks; i++)
    for (const part of ['key', 'value'])
      result.set(`past_key_values.${i}.${part}`, present.get(`present.${i}.${part}`) ?? nothing);
  return result;
}
