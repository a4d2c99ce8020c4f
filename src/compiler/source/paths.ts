/** Paths of source files, always with `/`, without touching any file. */

/** Directory of a path: `lib` of `lib/shared.ftp`, `.` of `main.ftp`. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}

/** `base/relative` with `.` and `..` resolved; never empty. */
export function joinPath(base: string, relative: string): string {
  const absolute = base.startsWith('/');
  const parts: string[] = [];
  for (const part of `${base}/${relative}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + (parts.join('/') || (absolute ? '' : '.'));
}

/** `medical` of `pipelines/medical.ftp`. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.replace(/\.ftp$/, '') || 'pipeline';
}
