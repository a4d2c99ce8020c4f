/** What a revision is: its commit, and the files that it has. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { checkFileName, isCommit } from './check-names.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { ATTEMPTS, sendRequest } from './send-request.ts';

export interface Listing {
  readonly commit: string;
  readonly files: readonly ListedFile[];
}

export interface ListedFile {
  readonly file: string;
  /** undefined where the hub does not say. */
  readonly bytes: number | undefined;
}

/**
 * @param attempts fewer where there is something else to fall back on
 * @throws HubError; `bad-answer` for an answer without a commit, or with names that lead out of a directory
 */
export async function listFiles(
  repository: string,
  revision: string,
  settings: HubSettings,
  signal?: AbortSignal,
  attempts = ATTEMPTS,
): Promise<Listing> {
  const path = `/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  try {
    const answer = await sendRequest({ path, subject: { repository, revision }, attempts }, settings, signal);
    return readListing(await answer.json(), repository, settings);
  } catch (error) {
    if (error instanceof HubError && error.kind === 'no-revision')
      throw await withNearRevision(error, repository, revision, settings, signal);
    throw error;
  }
}

function readListing(json: unknown, repository: string, { endpoint }: HubSettings): Listing {
  const { sha, siblings } = (json ?? {}) as { readonly sha?: unknown; readonly siblings?: unknown };
  if (typeof sha !== 'string' || !isCommit(sha))
    throw new HubError('bad-answer', `${endpoint.host} names no commit of \`${repository}\``, {
      help: ['is HF_ENDPOINT the address of a hub?'],
    });
  const files = (Array.isArray(siblings) ? siblings : []).flatMap((s: unknown) => {
    const { rfilename, size } = (s ?? {}) as { readonly rfilename?: unknown; readonly size?: unknown };
    if (typeof rfilename !== 'string') return [];
    checkFileName(rfilename, `${endpoint.host}, for \`${repository}\`,`);
    return { file: rfilename, bytes: Number.isSafeInteger(size) ? (size as number) : undefined };
  });
  return { commit: sha, files };
}

/** The same error, with the branch or tag that was probably meant; without it where the hub does not tell. */
async function withNearRevision(
  error: HubError,
  repository: string,
  revision: string,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<HubError> {
  try {
    const path = `/api/models/${repository}/refs`;
    const answer = await sendRequest({ path, subject: { repository }, attempts: 1 }, settings, signal);
    const { branches = [], tags = [] } = (await answer.json()) as {
      readonly [kind in 'branches' | 'tags']?: readonly { readonly name: string }[];
    };
    const names = [...branches, ...tags].map(({ name }) => name);
    const meant = nearest(revision, names);
    return new HubError(error.kind, error.message, {
      notes: [`its branches and tags: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`],
      help: meant === undefined ? [] : [`did you mean \`${meant}\`?`],
    });
  } catch {
    return error;
  }
}
