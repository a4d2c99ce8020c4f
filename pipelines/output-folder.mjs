import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where a data script writes: `--out DIR`, else the script's own folder.
 * @param {string} scriptUrl the script's `import.meta.url`
 * @returns {{ text(path: string, content: string): void, rows(path: string, rows: readonly object[]): void }}
 */
export function outputFolder(scriptUrl) {
  const flag = process.argv.indexOf('--out');
  const named = flag > 0 ? process.argv[flag + 1] : undefined;
  if (flag > 0 && named === undefined) throw new Error('--out needs a folder');
  const root = named ?? dirname(fileURLToPath(scriptUrl));
  const text = (path, content) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  return { text, rows: (path, rows) => text(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')) };
}
