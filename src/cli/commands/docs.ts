/** `ftc docs`: the reference of what a file may name, made from its schema. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { docs, documentedNames } from '../../compiler/docs.ts';
import { catalog } from '../../runtime/catalog.ts';
import { type RunCommand, UsageError } from '../command.ts';
import { drawMarkdown } from '../draw-markdown.ts';
import { exitCodes } from '../exit-codes.ts';

export const run: RunCommand = async (given, output) => {
  const name = given.positionals[0];
  const page = docs(name, catalog);
  if (page === undefined) {
    const meant = nearest(name!, documentedNames(catalog));
    throw new UsageError(
      `there is no stage, method, model, source or operator \`${name}\``,
      meant === undefined ? '`ftc docs` lists them' : `did you mean \`${meant}\`?`,
    );
  }
  output.line(
    given.has('json') ? JSON.stringify({ format_version: '1.0', page }) : drawMarkdown(page, output.style),
  );
  return exitCodes.ok;
};
