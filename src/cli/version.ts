/** The version of ftc, as in package.json. */
import { readFileSync } from 'node:fs';

export const version = readVersion();

/** The package's directory is three above `dist/src/cli`, two above `src/cli`. */
function readVersion(): string {
  for (const path of ['../../../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === 'ftc' && manifest.version !== undefined) return manifest.version;
    } catch {
      // Not in this layout: the other one has it.
    }
  }
  return 'unknown';
}
