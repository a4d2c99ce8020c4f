/** Names become parts of paths and addresses: what is not plainly a name is refused, from the user and from a server. */
import { HubError } from './hub-error.ts';

const COMMIT = /^[0-9a-f]{40}$/;

/** A revision that is a commit needs nobody to resolve it. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * `name` or `org/name`: letters, digits, `-`, `_`, `.`; at most 96 to a part; no `--`, no `..`, not ending in `.git`.
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/utilities#huggingface_hub.utils.validate_repo_id
 * @throws HubError `bad-name`
 */
export function checkRepository(repository: string): void {
  const part = /^[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
  const parts = repository.split('/');
  const fine =
    parts.length <= 2 &&
    parts.every((p) => part.test(p)) &&
    !/--|\.\./.test(repository) &&
    !repository.endsWith('.git');
  if (fine) return;
  throw new HubError('bad-name', `${JSON.stringify(repository)} is no name of a repository`, {
    help: ['write it as on the hub: `hf("org/name")`; a directory is opened with `local("dir")`'],
  });
}

/**
 * A branch, a tag, `refs/pr/N` or a commit: what git takes as a name, and no path leads out by.
 * @throws HubError `bad-name`
 */
export function checkRevision(revision: string): void {
  const fine =
    revision.length <= 255 && isRelative(revision) && !/[\s~^:?*[\x00-\x1f\x7f]|@\{/.test(revision);
  if (fine) return;
  throw new HubError('bad-name', `${JSON.stringify(revision)} is no name of a revision`, {
    help: ['name a branch, a tag or a commit: `rev="main"`'],
  });
}

/**
 * The name of a file as a server or an index sends it.
 * @throws HubError `bad-answer` where it leads out of its directory
 */
export function checkFileName(file: string, from: string): void {
  const fine = file.length <= 1024 && isRelative(file) && !/[:\x00-\x1f\x7f]/.test(file);
  if (fine) return;
  throw new HubError(
    'bad-answer',
    `${from} names a file ${JSON.stringify(file)}, which leads out of its directory`,
    {
      help: ['nothing was written; use a repository or a mirror that can be trusted'],
    },
  );
}

function isRelative(path: string): boolean {
  return !path.includes('\\') && path.split('/').every((p) => p !== '' && p !== '.' && p !== '..');
}

/**
 * The name of a blob: the entity tag without its marks.
 * @returns undefined where there is none that can name a file
 */
export function entityTag(header: string | null): string | undefined {
  const tag = header?.replace(/^W\//, '').replace(/^"|"$/g, '');
  return tag !== undefined && /^[\w+=-][\w.+=-]{0,199}$/.test(tag) ? tag : undefined;
}
