/** Models that a job opens: which ones they are, and where they lie on this machine. */
import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Job, ModelCall } from '../../compiler/graph/graph.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { fetchConfigFiles, fetchModel, type ModelRequest } from '../hub/fetch-model.ts';
import { resolveRevision } from '../hub/resolve-revision.ts';
import { digestFile } from '../store/digest-file.ts';

export interface ExistingModel {
  readonly directory: string;
  /** Directory of an adapter that is folded in. */
  readonly adapter?: string;
  /** Its path as written, or `org/name` on a hub: what others may call it. */
  readonly name: string;
  /** The revision that a hub's name stands for now. */
  readonly commit?: string;
}

/** Files that decide what is computed from a model; an adapter is a directory of the same kind. */
const MODEL_FILES =
  /^((config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|adapter_config|ftc)\.json|merges\.txt|chat_template\.jinja|.*\.safetensors(\.index\.json)?)$/;

/**
 * Equal where the same is computed from the model: of a directory what its files hold, of a hub's model its commit.
 * `root` is the directory of the pipeline file. Errors: CheckpointError where there is no such directory, HubError.
 */
export async function modelDigest({ model }: Job, root: string): Promise<string> {
  const from = resolve(root, model!.directory);
  const adapter = await adapterDirectory(model!, from);
  const added = adapter !== undefined && { adapter };
  const directory = await localDirectory(model!, from);
  if (directory !== undefined) return digestOfPlace({ directory, ...added, name: '' });
  const commit = await commitOf(model!);
  return digestOfPlace({ directory: '', ...added, name: String(model!.options.name), commit });
}

/** Files that decide what is computed from a model; the commit of a hub's decides its own. */
export async function filesOfPlace({
  directory,
  adapter,
  commit,
}: ExistingModel): Promise<readonly string[]> {
  const places = [...(commit === undefined ? [directory] : []), ...(adapter === undefined ? [] : [adapter])];
  return (await Promise.all(places.map(modelFiles))).flat();
}

/** As `modelDigest`, of a model that has been found. */
export async function digestOfPlace(model: ExistingModel): Promise<string> {
  const hash = createHash('sha256');
  if (model.commit !== undefined) hash.update(`${model.name}@${model.commit}\n`);
  for (const path of await filesOfPlace(model))
    hash.update(`${basename(path)} ${(await digestFile(path)).sha256}\n`);
  return hash.digest('hex');
}

/** Where the model lies. Of a hub's model its configuration and tokenizer are fetched, for a plan. Errors: as `modelDigest`. */
export const plannedModel = (job: Job, root: string): Promise<ExistingModel> =>
  locate(job, root, fetchConfigFiles);

/** Where the model lies, with its weights. `how`: progress, and how to stop a download. Errors: as `modelDigest`. */
export const fetchedModel = (
  job: Job,
  root: string,
  how: Pick<ModelRequest, 'onProgress' | 'signal'>,
): Promise<ExistingModel> => locate(job, root, (request) => fetchModel({ ...request, ...how }));

async function locate(
  { model }: Job,
  root: string,
  fetch: (request: ModelRequest) => Promise<{ readonly directory: string; readonly commit: string }>,
): Promise<ExistingModel> {
  const from = resolve(root, model!.directory);
  const adapter = await adapterDirectory(model!, from);
  const added = adapter !== undefined && { adapter };
  const directory = await localDirectory(model!, from);
  if (directory !== undefined) return { directory, ...added, name: String(model!.options.path) };
  const repository = String(model!.options.name);
  const found = await fetch({
    repository,
    revision: String(model!.options.rev),
    commit: await commitOf(model!),
  });
  return { directory: found.directory, ...added, name: repository, commit: found.commit };
}

/** A revision is asked for once a process, so that a plan and its run mean the same commit. */
const commits = new Map<string, Promise<string>>();

function commitOf({ options }: ModelCall): Promise<string> {
  const key = `${options.name}@${options.rev}`;
  const known = commits.get(key) ?? resolveRevision(String(options.name), String(options.rev));
  commits.set(key, known);
  known.catch(() => commits.delete(key));
  return known;
}

const localDirectory = async ({ name, options }: ModelCall, from: string): Promise<string | undefined> =>
  name === 'local' ? directoryOf(String(options.path), from) : undefined;

const adapterDirectory = async ({ options }: ModelCall, from: string): Promise<string | undefined> =>
  options.adapter === undefined ? undefined : directoryOf(String(options.adapter), from);

async function directoryOf(path: string, from: string): Promise<string> {
  const full = resolve(from, path);
  const found = await stat(full).catch(() => undefined);
  if (found === undefined) throw new CheckpointError(path, 'no such directory');
  if (!found.isDirectory()) throw new CheckpointError(path, 'is a file, not a directory with a model');
  return realpath(full);
}

async function modelFiles(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => MODEL_FILES.test(name)).sort();
  if (!names.includes('config.json') && !names.includes('adapter_config.json'))
    throw new CheckpointError(directory, 'has neither config.json nor adapter_config.json');
  return names.map((name) => join(directory, name));
}
