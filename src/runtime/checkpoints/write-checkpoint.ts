/** The weights of a published model: one safetensors file, or shards with an index where they are larger. */
import { join } from 'node:path';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { byteLengthOf, type WrittenTensor, writeSafetensors } from './safetensors.ts';

export interface ShardOptions {
  /** Bytes of tensors in one file, at most; a tensor that is larger has a file of its own. */
  readonly shardBytes: number;
}

/**
 * Writes `model.safetensors`, or `model-00001-of-0000N.safetensors` … and `model.safetensors.index.json`. Tensors come in
 * the order given. Returns the names of the files.
 * @throws StoreError `disk-full` or `no-permission`
 * @see https://huggingface.co/docs/transformers/main/en/big_models, "Sharded checkpoints"
 */
export async function writeCheckpoint(
  directory: string,
  tensors: ReadonlyMap<string, WrittenTensor>,
  { shardBytes }: ShardOptions,
): Promise<string[]> {
  const shards = split(tensors, shardBytes);
  if (shards.length === 1) {
    await writeSafetensors(join(directory, 'model.safetensors'), tensors);
    return ['model.safetensors'];
  }
  const files = shards.map((_, i) => `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`);
  const places: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    await writeSafetensors(join(directory, files[i]!), shard);
    for (const name of shard.keys()) places[name] = files[i]!;
  }
  const total = [...tensors.values()].reduce((bytes, tensor) => bytes + byteLengthOf(tensor), 0);
  const index = { metadata: { total_size: total }, weight_map: places };
  const name = 'model.safetensors.index.json';
  await writeFileAtomically(join(directory, name), `${JSON.stringify(index, null, 2)}\n`);
  return [...files, name];
}

const five = (n: number): string => String(n).padStart(5, '0');

function split(tensors: ReadonlyMap<string, WrittenTensor>, most: number): Map<string, WrittenTensor>[] {
  const shards: Map<string, WrittenTensor>[] = [new Map()];
  let bytes = 0;
  for (const [name, tensor] of tensors) {
    const size = byteLengthOf(tensor);
    if (bytes > 0 && bytes + size > most) {
      shards.push(new Map());
      bytes = 0;
    }
    shards.at(-1)!.set(name, tensor);
    bytes += size;
  }
  return shards;
}
