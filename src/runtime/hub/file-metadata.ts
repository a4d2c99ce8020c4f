/** What the hub says of a file before it is fetched. */
import { entityTag } from './check-names.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { sendRequest } from './send-request.ts';

export interface FileMetadata {
  /** The name of its blob: the SHA-256 of a large file (Git LFS), the git blob hash of a small one. */
  readonly tag: string;
  /** undefined where the hub does not say. */
  readonly bytes: number | undefined;
}

export interface RemoteFile {
  readonly repository: string;
  /** Revisions move; a commit does not. */
  readonly commit: string;
  readonly file: string;
}

export function pathOf({ repository, commit, file }: RemoteFile): string {
  return `/${repository}/resolve/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`;
}

/** @throws HubError; `bad-answer` where the hub does not say which bytes they are to be */
export async function fileMetadata(
  remote: RemoteFile,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<FileMetadata> {
  const { repository, commit, file } = remote;
  const { headers, status } = await sendRequest(
    { path: pathOf(remote), method: 'HEAD', subject: { repository, revision: commit, file } },
    settings,
    signal,
  );
  // Headers of the redirect to where large files are; ETag and Content-Length are then those of the redirect.
  const tag = entityTag(headers.get('x-linked-etag') ?? headers.get('etag'));
  if (tag === undefined)
    throw new HubError('bad-answer', `${settings.endpoint.host} does not say which bytes ${file} has`, {
      help: ['is HF_ENDPOINT the address of a hub? its answers carry an ETag'],
    });
  const size = headers.get('x-linked-size') ?? (status === 200 ? headers.get('content-length') : null);
  const bytes = size === null ? Number.NaN : Number(size);
  return { tag, bytes: Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined };
}
