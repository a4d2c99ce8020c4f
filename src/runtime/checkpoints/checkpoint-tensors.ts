/** Where the tensors of a published model lie: one safetensors file, or shards with an index. Only headers are read. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, quoted } from './checkpoint-error.ts';
import { findModelFile, INDEX_LIMITS, isRecord, readModelJson } from './model-files.ts';
import { readSafetensorsHeader, type TensorEntry } from './safetensors-header.ts';

export const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** A tensor and the file it lies in. */
export interface PlacedTensor extends TensorEntry {
  readonly file: string;
}

export type PlacedTensors = ReadonlyMap<string, PlacedTensor>;

/**
 * The tensors of a model's directory: of `model.safetensors`, or else of the shards that `model.safetensors.index.json`
 * names; undefined where it has neither.
 * @throws CheckpointError for a damaged file or index, a shard that is missing, and a tensor that lies elsewhere than the
 * index says, in two shards, or in one although the index does not list it.
 * @see https://huggingface.co/docs/transformers/main/en/big_models, "Sharded checkpoints"
 */
export async function checkpointTensors(directory: string): Promise<PlacedTensors | undefined> {
  const whole = await findModelFile(directory, WHOLE);
  if (whole !== undefined) return tensorsOfFile(whole);
  const index = await readModelJson(directory, INDEX, INDEX_LIMITS);
  return index && tensorsOfShards(directory, placesOf(join(directory, INDEX), index));
}

/** Whether a directory holds a whole model's weights in a form that `checkpointTensors` reads. */
export const hasWeights = async (directory: string): Promise<boolean> =>
  (await findModelFile(directory, WHOLE)) !== undefined ||
  (await findModelFile(directory, INDEX)) !== undefined;

/** @throws CheckpointError for a damaged file. */
export async function tensorsOfFile(file: string): Promise<PlacedTensors> {
  const { tensors } = await readSafetensorsHeader(file);
  return new Map([...tensors].map(([name, entry]) => [name, { ...entry, file }]));
}

/** Tensor → name of its shard, as the index says. */
function placesOf(path: string, { weight_map: map }: Record<string, unknown>): Map<string, string> {
  if (!isRecord(map)) throw new CheckpointError(path, `has the "weight_map" ${quoted(map)}, not an object`);
  const places = Object.entries(map);
  if (places.length === 0) throw new CheckpointError(path, 'lists no tensors');
  for (const [tensor, shard] of places) {
    if (typeof shard === 'string' && FILE_NAME.test(shard)) continue;
    const message = `puts the tensor ${quoted(tensor)} into ${quoted(shard)}, which is not the name of a safetensors file beside it`;
    throw new CheckpointError(path, message, tensor);
  }
  return new Map(places as [string, string][]);
}

/** A plain name: no folder, no way up, nothing that a terminal or a file system takes amiss. */
const FILE_NAME = /^[\w][\w.-]{0,200}\.safetensors$/;

async function tensorsOfShards(
  directory: string,
  places: ReadonlyMap<string, string>,
): Promise<PlacedTensors> {
  const found = new Map<string, PlacedTensor>();
  for (const shard of new Set(places.values())) {
    const file = await findModelFile(directory, shard);
    if (file === undefined) throw missingShard(directory, shard, places);
    for (const [name, tensor] of await tensorsOfFile(file)) {
      const place = places.get(name);
      if (place !== shard) throw misplaced(file, name, place);
      found.set(name, tensor);
    }
  }
  for (const [name, shard] of places)
    if (!found.has(name)) {
      const message = `lacks the tensor ${quoted(name)}, which ${INDEX} says is in it`;
      throw new CheckpointError(join(directory, shard), message, name);
    }
  return found;
}

function missingShard(
  directory: string,
  shard: string,
  places: ReadonlyMap<string, string>,
): CheckpointError {
  const shards = new Set(places.values()).size;
  const tensors = [...places.values()].filter((name) => name === shard).length;
  const message = `is missing: ${INDEX} puts ${tensors} tensors into it, one of ${shards} files of weights`;
  return new CheckpointError(join(directory, shard), message, undefined, ['download it again']);
}

function misplaced(file: string, name: string, place: string | undefined): CheckpointError {
  const says = place === undefined ? 'does not list' : `puts into ${place}`;
  return new CheckpointError(file, `holds the tensor ${quoted(name)}, which ${INDEX} ${says}`, name);
}

const PICKLED = /\.(bin|pt|pth|ckpt)$/;
const OTHERS = /\.(h5|msgpack|gguf|onnx|safetensors)$/;

/** Says what a directory holds that has no weights which ftc reads. `what`: the files that were looked for. */
export async function noWeights(directory: string, what: string): Promise<CheckpointError> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const pickled = names.find((name) => PICKLED.test(name));
  const base = `holds no weights that ftc reads: ${what}`;
  if (pickled !== undefined)
    return new CheckpointError(
      directory,
      `${base}; ${quoted(pickled)} is a Python pickle, which can run code when it is opened`,
      undefined,
      [
        'take a revision that has safetensors, or write them with transformers: `AutoModelForCausalLM.from_pretrained("DIR").save_pretrained("NEW")`',
      ],
    );
  const other = names.find((name) => OTHERS.test(name));
  const message = other === undefined ? base : `${base}; it has ${quoted(other)}`;
  return new CheckpointError(directory, message, undefined, [
    'put model.safetensors there, or its shards with model.safetensors.index.json; config.json alone is enough for a plan',
  ]);
}
