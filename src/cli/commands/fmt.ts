/** `ftc fmt`: the one layout of a file. A file with syntax errors is left as it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { hasErrors } from '../../compiler/diagnostics/diagnostic.ts';
import { format } from '../../compiler/format.ts';
import { decodeSource, type SourceFile } from '../../compiler/source/source-file.ts';
import { CommandError, type RunCommand, UsageError } from '../command.ts';
import { readSource, systemWords } from '../compile-file.ts';
import { exitCodes } from '../exit-codes.ts';
import { lineDiff } from '../line-diff.ts';
import type { Output } from '../output.ts';
import { drawn } from '../report-diagnostics.ts';

export const run: RunCommand = async (given, output) => {
  const paths = given.positionals;
  if (paths.includes('-') && paths.length > 1) throw new UsageError('`-` reads stdin and stands alone');
  const only = given.has('check') || given.has('diff');
  let changed = 0;
  let failed = false;
  for (const path of paths) {
    const formatted = formatFile(path, output);
    if (formatted === undefined) {
      failed = true;
      continue;
    }
    const { before, after } = formatted;
    if (before !== after) changed++;
    if (given.has('diff') && before !== after) output.line(lineDiff(before, after, path, output.style));
    else if (given.has('check') && before !== after) output.line(`${path} would be formatted`);
    if (only) continue;
    if (path === '-') output.write(after);
    else if (before !== after) write(path, after, given.has('quiet') ? undefined : output);
  }
  return failed || (only && changed > 0) ? exitCodes.failed : exitCodes.ok;
};

function formatFile(
  path: string,
  output: Output,
): { readonly before: string; readonly after: string } | undefined {
  const source = path === '-' ? readStdin() : readSource(path);
  const complain = (found: Parameters<typeof drawn>[0], sources: readonly SourceFile[]) =>
    output.error(drawn(found, sources, output.errorStyle, output.columns));
  if ('code' in source) {
    complain([source], []);
    return undefined;
  }
  const { text, diagnostics } = format(source);
  if (text === undefined || hasErrors(diagnostics)) {
    complain(diagnostics, [source]);
    return undefined;
  }
  return { before: source.text, after: text };
}

function readStdin(): SourceFile {
  const source = decodeSource('stdin', readFileSync(0));
  if (source === undefined) throw new CommandError('stdin is not UTF-8 text', exitCodes.failed);
  return source;
}

function write(path: string, text: string, output: Output | undefined): void {
  try {
    writeFileSync(path, text);
    output?.line(`${path} formatted`);
  } catch (error) {
    throw new CommandError(
      `cannot write \`${path}\`: ${systemWords(error as NodeJS.ErrnoException)}`,
      exitCodes.environment,
    );
  }
}
