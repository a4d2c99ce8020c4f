/** Directories that a test file makes; they are removed when its tests have ended. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

// Here and not where a directory is made: a hook that a running test registers is never called.
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A new directory, with these files in it. */
export function temporaryDirectory(files: { readonly [path: string]: string | Uint8Array } = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'ftc-test-'));
  made.push(directory);
  writeFiles(directory, files);
  return directory;
}

export function writeFiles(
  directory: string,
  files: { readonly [path: string]: string | Uint8Array },
): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}
