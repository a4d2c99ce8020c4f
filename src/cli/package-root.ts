/** The package's own directory, and what its package.json says. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Three above `dist/src/cli`, two above `src/cli`. */
export const packageRoot = findRoot();

export const version = (JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string })
  .version;

function findRoot(): string {
  const candidates = ['../../../', '../../'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find((path) => existsSync(`${path}package.json`)) ?? candidates[0]!;
}
