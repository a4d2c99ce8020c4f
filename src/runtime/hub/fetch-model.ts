/** A model of a hub, as a directory of the cache. */
import { RepositoryCache } from './cache.ts';
import { checkRepository, checkRevision, isCommit } from './check-names.ts';
import { fetchFiles, type Snapshot } from './fetch-files.ts';
import { HubError } from './hub-error.ts';
import { type HubEnvironment, type HubSettings, hubSettings } from './hub-settings.ts';
import { type ListedFile, type Listing, listFiles } from './list-files.ts';
import { missingFile, weightFiles } from './model-weights.ts';
import { type HubProgress, Progress } from './progress.ts';
import { DEFAULT_REVISION, isTrouble, notCached } from './resolve-revision.ts';
import { isConfigFile, OFTEN_THERE } from './wanted-files.ts';

export interface ModelRequest {
  /** `org/name` */
  readonly repository: string;
  /** A branch, a tag, `refs/pr/N` or a commit; `main` without. */
  readonly revision?: string | undefined;
  /** What the revision is known to be (`resolveRevision`): then it is not asked for again. */
  readonly commit?: string | undefined;
  readonly onProgress?: (progress: HubProgress) => void;
  /** Ends it; what was fetched stays, and the next call goes on there. */
  readonly signal?: AbortSignal | undefined;
  /** Without it that of the process. */
  readonly environment?: HubEnvironment;
  /** How to wait between attempts; a test waits shorter. */
  readonly pause?: HubSettings['pause'];
}

export interface FetchedModel {
  /** In Hugging Face layout; its files are links into the cache and must not be changed. */
  readonly directory: string;
  readonly commit: string;
}

export interface FetchedConfig extends FetchedModel {
  /** Files of weights that `fetchModel` would still fetch; undefined where the hub was not asked. */
  readonly missing: readonly ListedFile[] | undefined;
}

/**
 * Fetches config, tokenizer, chat template and weights (safetensors only), so far as the cache lacks them.
 * Offline, or where the hub cannot be reached, the cache alone serves.
 * @throws HubError; the signal's reason, when it is given
 */
export async function fetchModel(request: ModelRequest): Promise<FetchedModel> {
  const { directory, commit } = await fetchSnapshot(request, true);
  return { directory, commit };
}

/**
 * Fetches the small files alone, for a plan.
 * @throws HubError as `fetchModel`
 */
export async function fetchConfigFiles(request: ModelRequest): Promise<FetchedConfig> {
  return fetchSnapshot(request, false);
}

async function fetchSnapshot(request: ModelRequest, withWeights: boolean): Promise<FetchedConfig> {
  const { repository, revision = DEFAULT_REVISION, signal } = request;
  checkRepository(repository);
  checkRevision(revision);
  const settings = hubSettings(request.environment ?? process.env, request.pause);
  const cache = new RepositoryCache(settings.cache, repository);
  const wanted = request.commit ?? revision;
  const known = isCommit(wanted) ? wanted : await cache.commitOf(wanted);
  const lacks = known === undefined ? 'config.json' : await missingFile(cache, known, withWeights);
  const cached = known !== undefined && lacks === undefined;
  if (settings.offline) {
    if (!cached) throw notCached(repository, revision, known === undefined ? undefined : lacks);
    return { directory: cache.snapshot(known), commit: known, missing: undefined };
  }
  let listing: Listing;
  try {
    listing = await listFiles(repository, wanted, settings, signal, cached ? 1 : undefined);
  } catch (error) {
    if (cached && isTrouble(error))
      return { directory: cache.snapshot(known), commit: known, missing: undefined };
    throw error;
  }
  const { commit } = listing;
  const progress = new Progress(request.onProgress);
  const snapshot = { repository, commit, cache, settings, signal, progress };
  const missing = await fetchListed(listing, snapshot, revision, withWeights);
  // A revision that moved is remembered when the model it moved to is here: until then, offline, the old one serves.
  if (withWeights || (await cache.commitOf(revision)) === undefined) await cache.remember(revision, commit);
  return { directory: cache.snapshot(commit), commit, missing };
}

/** @returns the weights that are missing in the end */
async function fetchListed(
  { files }: Listing,
  snapshot: Snapshot,
  revision: string,
  withWeights: boolean,
): Promise<readonly ListedFile[]> {
  const { repository, commit, cache } = snapshot;
  const names = files.map(({ file }) => file);
  if (!names.includes('config.json') && !names.includes('adapter_config.json'))
    throw new HubError('no-file', `\`${repository}\` has no config.json (revision ${revision})`, {
      notes: [`it has: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`],
      help: ['a model is opened from its safetensors layout: look for the repository it was made from'],
    });
  await fetchFiles(
    files.filter(({ file }) => isConfigFile(file)),
    snapshot,
  );
  for (const file of OFTEN_THERE) if (!names.includes(file)) await cache.rememberAbsent(commit, file);
  const weights = await weightFiles(names, cache, commit);
  if (weights.length === 0) throw noWeights(repository, revision, names);
  const listed = weights.map((name) => files.find(({ file }) => file === name));
  if (listed.includes(undefined)) throw noShard(repository, weights[listed.indexOf(undefined)]!);
  const wanted = listed as readonly ListedFile[];
  if (withWeights) await fetchFiles(wanted, snapshot);
  const missing: ListedFile[] = [];
  for (const file of wanted) if ((await cache.size(commit, file.file)) === undefined) missing.push(file);
  return missing;
}

function noWeights(repository: string, revision: string, files: readonly string[]): HubError {
  const pickled = files.find((file) => /\.(bin|pt|pth|ckpt)$/.test(file));
  return new HubError('no-file', `\`${repository}\` has no weights in safetensors (revision ${revision})`, {
    notes: pickled === undefined ? [] : [`it has ${pickled}, a format that can run code when it is opened`],
    help: [
      'look for a revision or a copy with model.safetensors: open requests of the repository often hold one, `rev="refs/pr/N"`',
    ],
  });
}

function noShard(repository: string, shard: string): HubError {
  return new HubError('no-file', `\`${repository}\` has no ${shard}, which its index of weights names`);
}
