/** Which commit a revision is. */
import { RepositoryCache } from './cache.ts';
import { checkRepository, checkRevision, isCommit } from './check-names.ts';
import { HubError } from './hub-error.ts';
import { type HubEnvironment, hubSettings } from './hub-settings.ts';
import { listFiles } from './list-files.ts';

export const DEFAULT_REVISION = 'main';

/**
 * The commit of a branch, a tag or `refs/pr/N`; a commit is itself, without a question. Offline, and where the hub cannot be
 * reached, what the cache remembers.
 * @throws HubError `bad-name`, `no-repository`, `no-revision`, `gated`, `no-access`, `not-cached`, `unreachable`, …
 */
export async function resolveRevision(
  repository: string,
  revision: string = DEFAULT_REVISION,
  environment: HubEnvironment = process.env,
  signal?: AbortSignal,
): Promise<string> {
  checkRepository(repository);
  checkRevision(revision);
  if (isCommit(revision)) return revision;
  const settings = hubSettings(environment);
  const cache = new RepositoryCache(settings.cache, repository);
  const remembered = await cache.commitOf(revision);
  if (settings.offline) return remembered ?? Promise.reject(notCached(repository, revision));
  try {
    const { commit } = await listFiles(repository, revision, settings, signal, remembered ? 1 : undefined);
    return commit;
  } catch (error) {
    if (remembered !== undefined && isTrouble(error)) return remembered;
    throw error;
  }
}

/** The hub did not answer; it did not refuse. */
export function isTrouble(error: unknown): boolean {
  return error instanceof HubError && (error.kind === 'unreachable' || error.kind === 'too-many-requests');
}

export function notCached(repository: string, revision: string, file?: string): HubError {
  const what =
    file === undefined ? `\`${repository}\` (revision ${revision})` : `${file} of \`${repository}\``;
  return new HubError('not-cached', `${what} is not in the cache, and ftc is asked to stay offline`, {
    help: ['fetch it once with HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE unset'],
  });
}
