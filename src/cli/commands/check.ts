/** `ftc check`: syntax, names, types and the graph of files; needs neither network nor device. */
import type { RunCommand } from '../command.ts';
import { type Checked, checkFile, pipelineSettings } from '../compile-file.ts';
import { fixFile } from '../fix-file.ts';
import { reportDiagnostics } from '../report-diagnostics.ts';
import { parseReporters } from '../reporters/reporter-request.ts';

export const run: RunCommand = async (given, output) => {
  const reporters = parseReporters(given.values('reporter'));
  const settings = pipelineSettings(given);
  const extras = { everyPipeline: settings.pipeline === undefined };
  const checked: Checked[] = [];
  for (const path of given.positionals) {
    const first = checkFile(path, settings, extras);
    const fixed = given.has('fix') ? fixFile(first) : 0;
    if (fixed > 0 && !given.has('quiet')) {
      output.error(`${path}: ${fixed === 1 ? 'one problem mended' : `${fixed} problems mended`}`);
    }
    checked.push(fixed > 0 ? checkFile(path, settings, extras) : first);
  }
  return reportDiagnostics(checked, output, {
    json: given.has('json'),
    quiet: given.has('quiet'),
    reporters,
  });
};
