/** `ftc explain`: the long page of a diagnostic, by its code or its name. */
import { codes } from '../../compiler/diagnostics/codes.ts';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { explain } from '../../compiler/explain.ts';
import { type RunCommand, UsageError } from '../command.ts';
import { drawMarkdown } from '../draw-markdown.ts';
import { exitCodes } from '../exit-codes.ts';

export const run: RunCommand = async (given, output) => {
  const wanted = given.positionals[0]!;
  const page = explain(wanted);
  if (page === undefined) {
    const names = Object.entries(codes).flatMap(([name, { code }]) => [name, code]);
    const meant = nearest(wanted, names);
    throw new UsageError(
      `there is no diagnostic \`${wanted}\``,
      meant === undefined ? 'codes look like FTP2003' : `did you mean \`ftc explain ${meant}\`?`,
    );
  }
  output.line(
    given.has('json') ? JSON.stringify({ format_version: '1.0', page }) : drawMarkdown(page, output.style),
  );
  return exitCodes.ok;
};
