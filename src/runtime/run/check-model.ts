/** Whether a model can be opened, and an adapter stands on the base that it was made for, as far as files on this machine can tell. */
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import { checkpointTensors, type PlacedTensor } from '../checkpoints/checkpoint-tensors.ts';
import type { Policy, Reward } from '../stages/stage.ts';
import { adapterSettings } from './adapter-directory.ts';
import type { ExistingModel } from './existing-model.ts';
import { openAdapter, readModel } from './policies.ts';

/** Of each tensor: numbers of another model differ from the first on. */
const COMPARED_BYTES = 4096;

/**
 * Whether a model can be opened, with its adapter where it has one. Nothing is read of a base but headers, what its
 * quant_states say and the beginning of each tensor.
 * @throws CheckpointError as `readModel`, and where the adapter has tensors that the base has no place for, or was made for
 * another base
 */
export async function checkModel({ directory, adapter, name }: ExistingModel): Promise<void> {
  const base = await readModel(directory);
  if (adapter !== undefined) await openAdapterOf(adapter, base, { directory, name });
}

/**
 * As `openAdapter`, on a base from a directory.
 * @throws CheckpointError also where the base that the adapter names, on this machine, holds other weights
 */
export async function openAdapterOf(
  adapter: string,
  base: Policy,
  { directory, name }: Pick<ExistingModel, 'directory' | 'name'>,
): Promise<Policy | Reward> {
  const { base_model_name_or_path: written } = await adapterSettings(adapter);
  const named = typeof written === 'string' ? baseAt(adapter, written) : undefined;
  const help = [`open it on its base: \`local("${named}" adapter="${basename(adapter)}")\``];
  const adapted = await openAdapter(adapter, base, name).catch(async (error: unknown) => {
    if (named === undefined || !(error instanceof CheckpointError) || error.help.length > 0) throw error;
    if (!(await opensOn(adapter, named))) throw error;
    throw new CheckpointError(error.file, error.problem, error.tensor, help);
  });
  if (named === undefined || (await holdTheSame(named, directory))) return adapted;
  const message = `is an adapter of ${quoted(written)}, and the weights of ${quoted(name)} are others`;
  throw new CheckpointError(adapter, message, undefined, help);
}

async function opensOn(adapter: string, directory: string): Promise<boolean> {
  try {
    await openAdapter(adapter, await readModel(directory));
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
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
