/** Whether an adapter stands on the base that it was made for, as far as files on this machine can tell. */
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import { checkpointTensors, hasWeights, type PlacedTensor } from '../checkpoints/checkpoint-tensors.ts';
import { adapterSettings } from './adapter-directory.ts';
import type { ExistingModel } from './existing-model.ts';
import { openAdapter, readModel } from './policies.ts';

/** Of each tensor: numbers of another model differ from the first on. */
const COMPARED_BYTES = 4096;

/**
 * Nothing is read of the base but headers and the beginning of each tensor; where its weights are not here, nothing is said.
 * @throws CheckpointError where the adapter has tensors that the base has no place for, or was made for another base
 */
export async function checkAdapter({ directory, adapter, name }: ExistingModel): Promise<void> {
  if (adapter === undefined || !(await hasWeights(directory))) return;
  await openAdapter(adapter, await readModel(directory), name);
  await checkNamedBase(adapter, directory, name);
}

/**
 * Whether the base that the adapter names, where it is on this machine, holds the same weights as the directory.
 * @throws CheckpointError where it holds others
 */
export async function checkNamedBase(adapter: string, directory: string, name: string): Promise<void> {
  const { base_model_name_or_path: written } = await adapterSettings(adapter);
  const named = typeof written === 'string' ? baseAt(adapter, written) : undefined;
  if (named === undefined || (await holdTheSame(named, directory))) return;
  throw new CheckpointError(
    adapter,
    `is an adapter of ${quoted(written)}, and the weights of ${quoted(name)} are others`,
    undefined,
    [`open it on its base: \`local("${named}" adapter="${basename(adapter)}")\``],
  );
}

function baseAt(adapter: string, written: string): string | undefined {
  return [resolve(adapter, written), resolve(written)].find((place) =>
    existsSync(join(place, 'config.json')),
  );
}

/** False where a tensor of the same name, shape and number format begins with other numbers. */
async function holdTheSame(one: string, other: string): Promise<boolean> {
  const same = new Set(await Promise.all([one, other].map((directory) => realpath(directory)))).size === 1;
  const [ours, theirs] = same ? [] : [await checkpointTensors(one), await checkpointTensors(other)];
  if (ours === undefined || theirs === undefined) return true;
  for (const [name, tensor] of ours) {
    const twin = theirs.get(name);
    if (twin === undefined || twin.format !== tensor.format || `${twin.shape}` !== `${tensor.shape}`)
      continue;
    if (!(await beginningOf(tensor)).equals(await beginningOf(twin))) return false;
  }
  return true;
}

async function beginningOf({ file, offset, byteLength }: PlacedTensor): Promise<Buffer> {
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(Math.min(COMPARED_BYTES, byteLength));
    await handle.read(bytes, 0, bytes.length, offset);
    return bytes;
  } finally {
    await handle.close();
  }
}
