/** The built `ftc` in a real child process. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FtcOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly node?: readonly string[];
}

export function ftc(
  words: readonly string[],
  { cwd, input, env, node = [] }: FtcOptions = {},
): Promise<Ended> {
  const { GITHUB_ACTIONS: _, CI: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [...node, main, ...words], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...inherited, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(input ?? '');
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** A fresh directory with these files in it. */
export function folder(files: { readonly [path: string]: string | Uint8Array }): string {
  const directory = mkdtempSync(join(tmpdir(), 'ftc-cli-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}
