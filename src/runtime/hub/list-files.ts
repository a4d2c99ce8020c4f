/** What a revision is: its commit, and the files that it has. */
import { checkFileName, isCommit } from './check-names.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { nearNames } from './near-names.ts';
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
 * @throws HubError, with the name that was probably meant; `bad-answer` for an answer without a commit, or with names that
 * lead out of a directory
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
    if (!(error instanceof HubError)) throw error;
    const near = await nearNames(error.kind, repository, revision, settings, signal);
    throw new HubError(error.kind, error.message, {
      notes: [...error.notes, ...near.notes],
      help: [...near.help, ...error.help],
    });
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
