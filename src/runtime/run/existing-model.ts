/** Models that a job opens: where they lie on this machine, and which ones they are. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Job, ModelCall } from '../../compiler/graph/graph.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { digestFile } from '../store/digest-file.ts';

export interface ExistingModel {
  readonly directory: string;
  /** Directory of an adapter that is folded in. */
  readonly adapter?: string;
  /** Hex; equal where the same is computed from the model. */
  readonly digest: string;
  /** Its path as written, or `org/name` on a hub: what others may call it. */
  readonly name: string;
  /** The revision that a hub's name stands for now. */
  readonly commit?: string;
}

/** Files that decide what is computed from a model; `adapter` is a directory of the same kind. */
const MODEL_FILES =
  /^((config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|adapter_config|ftc)\.json|merges\.txt|chat_template\.jinja|.*\.safetensors(\.index\.json)?)$/;

/**
 * `root` is the directory of the pipeline file. Weights of a hub's model are fetched where `weights` says so; without
 * them its configuration and tokenizer are there.
 * Errors: CheckpointError where there is no such directory.
 */
export async function existingModel({ model }: Job, root: string): Promise<ExistingModel> {
  const { options } = model!;
  return localModel(String(options.path), options.adapter, resolve(root, model!.directory));
}

async function localModel(
  path: string,
  adapter: ModelCall['options'][string] | undefined,
  root: string,
): Promise<ExistingModel> {
  const directory = await directoryOf(path, root);
  const added = adapter === undefined ? undefined : await directoryOf(String(adapter), root);
  const digests = [
    await digestOf(directory, path),
    ...(added ? [await digestOf(added, String(adapter))] : []),
  ];
  return {
    directory,
    ...(added && { adapter: added }),
    digest: createHash('sha256').update(digests.join(' ')).digest('hex'),
    name: path,
  };
}

async function directoryOf(path: string, root: string): Promise<string> {
  const full = resolve(root, path);
  const found = await stat(full).catch(() => undefined);
  if (found === undefined) throw new CheckpointError(path, 'no such directory');
  if (!found.isDirectory()) throw new CheckpointError(path, 'is a file, not a directory with a model');
  return realpath(full);
}

async function digestOf(directory: string, path: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => MODEL_FILES.test(name)).sort();
  if (!names.includes('config.json') && !existsSync(join(directory, 'adapter_config.json')))
    throw new CheckpointError(path, 'has neither config.json nor adapter_config.json');
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name} ${(await digestFile(join(directory, name))).sha256}\n`);
  return hash.digest('hex');
}
