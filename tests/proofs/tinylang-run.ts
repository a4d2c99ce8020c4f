/** pipelines/tinylang.ftp run through the real command line on data of its own. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { ftc } from '../cli/ftc.ts';
import { Said } from '../run/workshop.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const pipelines = fileURLToPath(new URL('../../pipelines', import.meta.url));

/** A folder with the pipeline and freshly written data, `scale` times what the project keeps. */
export class Tinylang {
  readonly directory = temporaryDirectory();
  readonly store = join(this.directory, '.ftc');

  constructor(scale: number) {
    cpSync(join(pipelines, 'tinylang.ftp'), join(this.directory, 'tinylang.ftp'));
    const script = join(pipelines, 'tinylang', 'make-data.mjs');
    const out = join(this.directory, 'tinylang');
    execFileSync(process.execPath, [script, '--out', out, '--scale', String(scale)]);
  }

  /** `ftc run tinylang.ftp` with more words; what is in the store is not run again. */
  async run(words: readonly string[]): Promise<Said> {
    const { code, stdout, stderr } = await ftc(['run', 'tinylang.ftp', '--json', '--yes', ...words], {
      cwd: this.directory,
    });
    if (code !== 0)
      throw new Error(`ftc run ${words.join(' ')} ended with ${code}: ${stdout.slice(-2000)}${stderr}`);
    return new Said(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as RunEvent),
    );
  }

  /** Rows of one of the data files. */
  rows<R>(name: string): R[] {
    const text = readFileSync(join(this.directory, 'tinylang', `${name}.jsonl`), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as R);
  }
}

/** Nats a response of an `eval` stage: its loss is nats a token. */
export function natsPerResponse(said: Said, stage: string): number {
  const { loss, supervised_tokens: tokens, rows } = said.finished(stage).metrics;
  return (loss! * tokens!) / rows!;
}
