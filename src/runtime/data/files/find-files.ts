import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { escapePath, glob, isDynamicPattern } from 'tinyglobby';
import { nearest } from '../../../compiler/diagnostics/nearest.ts';
import { DataError } from '../data-error.ts';

/**
 * Files that a path, a directory or a glob (`data/notes/*.txt`, `{a,b}.jsonl`) names, each once, in the order of their names'
 * code units.
 * @param directory what a relative path starts from
 * @param endings of a directory's files, at any depth, those that are meant (`jsonl`, and with it `jsonl.gz`)
 * @returns paths that begin with `directory` (or are absolute where the pattern is)
 * @throws DataError `missing-data-file` where nothing matches
 */
export async function findFiles(
  pattern: string,
  directory: string,
  endings: readonly string[],
): Promise<string[]> {
  const slashes = sep === '/' ? pattern : pattern.replaceAll(sep, '/');
  const base = resolve(directory);
  const whole = resolve(directory, pattern);
  const isDirectory = (await stat(whole).catch(() => undefined))?.isDirectory() === true;
  const written = isDynamicPattern(slashes) ? slashes : escapePath(slashes);
  const found = await glob(
    isDirectory ? `**/*.${alternatives(endings)}${alternatives(['', '.gz', '.zst'])}` : written,
    {
      cwd: isDirectory ? whole : base,
      onlyFiles: true,
      absolute: true,
      expandDirectories: false,
    },
  );
  if (found.length === 0) {
    const inside = isDirectory ? await patternsInside(whole, slashes) : undefined;
    throw new DataError('missing-data-file', {
      path: pattern,
      ...(inside ? { inside, endings } : { near: await filesNear(join(directory, pattern), directory) }),
    });
  }
  const named = found.map((path) => (isAbsolute(pattern) ? path : join(directory, relative(base, path))));
  return [...new Set(named)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const alternatives = (endings: readonly string[]) =>
  endings.length === 1 ? endings[0]! : `{${endings.join(',')}}`;

/** Globs of the files in a directory, one for each ending. */
async function patternsInside(path: string, pattern: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const endings = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => extname(entry.name));
  return [...new Set(endings)].sort().map((ending) => `${pattern.replace(/\/$/, '')}/*${ending}`);
}

/** Names of files in the directory where one was looked for, as they would be written: those most like it first. */
async function filesNear(path: string, directory: string): Promise<string[]> {
  const entries = await readdir(dirname(path), { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(directory, join(dirname(path), entry.name)))
    .sort();
  const best = nearest(relative(directory, path), names);
  return best === undefined ? names : [best, ...names.filter((name) => name !== best)];
}
