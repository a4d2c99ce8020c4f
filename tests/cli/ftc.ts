/** The built `ftc` in a real child process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

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
