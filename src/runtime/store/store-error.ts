/** What can go wrong with files that a run keeps, as data: the caller puts it into words or into a diagnostic. */

export type StoreErrorKind =
  /** No room left on the disk, or a quota is used up. */
  | 'disk-full'
  /** The file or directory may not be written or read, or something else stands in its place. */
  | 'no-permission'
  /** The store was written by another version of its layout. */
  | 'other-version'
  /** Another run that is alive holds the store. */
  | 'in-use'
  /** An object's bytes do not hash to its name, or a file of the store cannot be read. */
  | 'damaged'
  /** The store was opened for reading, or something asked for does not exist. */
  | 'misuse';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly path: string;
  /** What to do about it. */
  readonly help: readonly string[];

  constructor(kind: StoreErrorKind, path: string, message: string, help: readonly string[] = []) {
    super(message);
    this.kind = kind;
    this.path = path;
    this.help = help;
  }
}

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const NO_PERMISSION = new Set(['EACCES', 'EPERM', 'EROFS']);
const IN_THE_WAY = new Set(['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY']);

/** The typed form of what a write to `path` threw; an error that is none of these comes back unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== undefined && DISK_FULL.has(code)) {
    return new StoreError('disk-full', path, `no room left on the disk to write ${path}`, [
      'free some space, or keep the store elsewhere with `--store DIR`',
      '`ftc clean` removes what no kept run needs',
    ]);
  }
  if (code !== undefined && NO_PERMISSION.has(code)) {
    return new StoreError('no-permission', path, `${path} may not be written (${code})`, [
      'change its permissions, or keep the store elsewhere with `--store DIR`',
    ]);
  }
  if (code !== undefined && IN_THE_WAY.has(code)) {
    return new StoreError(
      'no-permission',
      path,
      `${path} cannot be written: something is in the way (${code})`,
      ['remove what has this name, or a part of the path, or write to another place'],
    );
  }
  // The parents of a directory are made with it: where one cannot be, node says that it is not there.
  if (code === 'ENOENT' && syscall === 'mkdir') {
    return new StoreError('no-permission', path, `the directory ${path} cannot be made`, [
      'is its disk read-only? name a directory that may be written',
    ]);
  }
  return error;
}
