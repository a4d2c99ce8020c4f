/** Files that a stage wrote outside the store, remembered by their hashes: whether they still stand as they were. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isGgufPath } from '../stages/export-options.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';

const LIST = 'files.json';

/** Writes the list of `files` of the export to `target` into the artifact's directory. */
export async function listExport(target: string, files: readonly string[], artifact: string): Promise<void> {
  const hashes: Record<string, string> = {};
  for (const file of [...files].sort()) hashes[file] = await hashOf(join(directoryOf(target), file));
  await writeFileAtomically(join(artifact, LIST), `${JSON.stringify(hashes, null, 2)}\n`);
}

/** Whether every file of the list is there with the bytes it had. */
export async function exportStands(target: string, artifact: string): Promise<boolean> {
  const hashes = JSON.parse(await readFile(join(artifact, LIST), 'utf8')) as Record<string, string>;
  for (const [file, hash] of Object.entries(hashes)) {
    const now = await hashOf(join(directoryOf(target), file)).catch(() => undefined);
    if (now !== hash) return false;
  }
  return true;
}

/** A GGUF export is one file. */
const directoryOf = (target: string): string => (isGgufPath(target) ? dirname(target) : target);

/** SHA-256 of a file, as hex. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
