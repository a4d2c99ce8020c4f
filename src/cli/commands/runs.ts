/** `ftc runs`: past runs, the newest first. */
import { displayWidth } from '../../compiler/source/width.ts';
import { openStore, type RunInfo } from '../../runtime/store/store.ts';
import type { RunCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { padDisplay } from '../fit-text.ts';
import { formatSeconds } from '../format-numbers.ts';
import { storeOf } from '../plan-file.ts';
import type { Style } from '../style.ts';

export const run: RunCommand = async (given, output) => {
  const directory = storeOf(given.positionals[0], given.value('store'));
  const runs = await (await openStore(directory, { write: false })).runs();
  if (given.has('json')) output.line(JSON.stringify({ format_version: '1.0', runs }));
  else if (runs.length === 0) output.line(`no runs in ${directory} yet`);
  else for (const line of runTable(runs, output.style)) output.line(line);
  return exitCodes.ok;
};

function runTable(runs: readonly RunInfo[], style: Style): readonly string[] {
  const rows = runs.map((info) => [
    info.id,
    info.pipeline,
    info.status.replace('_', ' '),
    info.finished === undefined
      ? ''
      : formatSeconds((Date.parse(info.finished) - Date.parse(info.started)) / 1000),
    Object.keys(info.stages).join(' → '),
  ]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => displayWidth(row[i]!))));
  return rows.map(([id, pipeline, status, seconds, stages]) => {
    const color =
      status === 'ok'
        ? style.green
        : status === 'failed' || status === 'gate failed'
          ? style.red
          : style.yellow;
    return [
      style.bold(padDisplay(id!, widths[0]!)),
      padDisplay(pipeline!, widths[1]!),
      color(padDisplay(status!, widths[2]!)),
      padDisplay(seconds!, widths[3]!, 'right'),
      style.dim(stages!),
    ]
      .join('  ')
      .trimEnd();
  });
}
