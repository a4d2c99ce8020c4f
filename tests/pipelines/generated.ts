/** Data scripts of pipelines/ run into a fresh folder, and where the committed data lies. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../temporary-directory.ts';

export const pipelines = fileURLToPath(new URL('../../pipelines', import.meta.url));

/** The folder into which `pipelines/<name>/make-data.mjs` wrote. */
export function generate(name: string): string {
  const folder = temporaryDirectory();
  execFileSync(process.execPath, [join(pipelines, name, 'make-data.mjs'), '--out', folder]);
  return folder;
}

/** Files under a folder, in order, relative to it. */
export const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

const _readRows = <T>(...path: readonly string[]): T[] =>
  readFileSync(join(...path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
