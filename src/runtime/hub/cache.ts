/**
 * The cache shared with Python's huggingface_hub:
 *
 *     models--ORG--NAME/refs/REVISION            the commit, as text
 *     models--ORG--NAME/blobs/ETAG               a file's bytes; ETAG.incomplete while they come
 *     models--ORG--NAME/snapshots/COMMIT/FILE    a relative link to its blob
 *     models--ORG--NAME/.no_exist/COMMIT/FILE    an empty file: the commit is known to lack it
 *
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isCommit } from './check-names.ts';
import { HubError } from './hub-error.ts';

export class RepositoryCache {
  /** `…/models--ORG--NAME` */
  readonly directory: string;
  /** `….locks/models--ORG--NAME` */
  readonly locks: string;

  constructor(cache: string, repository: string) {
    const name = `models--${repository.replace('/', '--')}`;
    this.directory = join(cache, name);
    this.locks = join(cache, '.locks', name);
  }

  snapshot(commit: string): string {
    return join(this.directory, 'snapshots', commit);
  }

  blob(tag: string): string {
    return join(this.directory, 'blobs', tag);
  }

  /** The commit that a revision was when it was last asked for. */
  async commitOf(revision: string): Promise<string | undefined> {
    const text = await readFile(join(this.directory, 'refs', revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** As far as the cache may be written: nothing depends on it but what is found offline. */
  async remember(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || (await this.commitOf(revision)) === commit) return;
    await replace(join(this.directory, 'refs', revision), (path) => writeFile(path, commit)).catch(() => {});
  }

  /** As far as the cache may be written. */
  async rememberAbsent(commit: string, file: string): Promise<void> {
    const path = join(this.directory, '.no_exist', commit, file);
    if (await exists(path)) return;
    await replace(path, (temporary) => writeFile(temporary, '')).catch(() => {});
  }

  /** Bytes of a file of a snapshot; undefined where it is not there, or its blob is gone. */
  async size(commit: string, file: string): Promise<number | undefined> {
    return stat(join(this.snapshot(commit), file)).then(
      (s) => (s.isFile() ? s.size : undefined),
      () => undefined,
    );
  }

  /** Makes the file of a snapshot a link to its blob, or a copy where the file system has no links. */
  async link(commit: string, file: string, tag: string): Promise<void> {
    const path = join(this.snapshot(commit), file);
    const blob = this.blob(tag);
    await replace(path, async (temporary) => {
      try {
        await symlink(relative(dirname(path), blob), temporary);
      } catch (error) {
        if (!['EPERM', 'ENOSYS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? ''))
          throw error;
        await copyFile(blob, temporary, constants.COPYFILE_FICLONE);
      }
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A reader sees what was there or what is made, nothing between. */
async function replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await make(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw cacheError(error, path);
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST']);
const ELSEWHERE = 'keep the cache elsewhere: HF_HUB_CACHE names its directory';

/** The typed form of what a write into the cache threw; what is none comes back unchanged. */
export function cacheError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (FULL.has(code))
    return new HubError('disk-full', `no room left on the disk to write ${path}`, {
      help: ['free some space: what was fetched is kept', ELSEWHERE],
    });
  if (REFUSED.has(code))
    return new HubError('not-writable', `${path} cannot be written (${code})`, {
      help: ['change its permissions, or remove what stands in its place', ELSEWHERE],
    });
  return error;
}
