/** `ftc clean`: reclaims space, never what a kept run needs. */
import { existsSync } from 'node:fs';
import { openStore } from '../../runtime/store/store.ts';
import type { RunCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatBytes } from '../format-numbers.ts';
import { storeOf } from '../plan-file.ts';

const defaultKeptRuns = 10;

export const run: RunCommand = async (given, output) => {
  const directory = storeOf(given.positionals[0], given.value('store'));
  const dryRun = given.has('dry-run');
  const keepRuns = given.integer('keep', { least: 0 }) ?? defaultKeptRuns;
  // A store that is not there is not made in order to be cleaned.
  const store = await openStore(directory, { write: !dryRun && existsSync(directory) });
  try {
    const report = await store.clean({ keepRuns, dryRun: dryRun || !existsSync(directory) });
    const { runs, artifacts, work, passes, bytes } = report;
    if (given.has('json')) output.line(JSON.stringify({ format_version: '1.0', dry_run: dryRun, ...report }));
    else if (runs.length + artifacts.length + work.length + passes === 0)
      output.line(`nothing to remove from ${directory}`);
    else {
      const parts = [
        count(runs.length, 'run'),
        count(artifacts.length, 'artifact'),
        count(work.length, 'checkpoint'),
        ...(passes > 0 ? [`${passes} kept ${passes === 1 ? 'pass' : 'passes'} over data`] : []),
      ];
      output.line(`${dryRun ? 'would remove' : 'removed'} ${parts.join(', ')}: ${formatBytes(bytes)}`);
    }
  } finally {
    await store.close();
  }
  return exitCodes.ok;
};

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
