/** Applies the safe fixes of a file's diagnostics and writes what changed. */
import { writeFileSync } from 'node:fs';
import { applyFixes } from '../compiler/diagnostics/apply-fixes.ts';
import { CommandError } from './command.ts';
import { type Checked, systemWords } from './compile-file.ts';
import { exitCodes } from './exit-codes.ts';

/** How many problems were mended. A file that is only used by the checked one is left alone. */
export function fixFile({ path, sources, diagnostics }: Checked): number {
  const source = sources.find((one) => one.path === path);
  if (source === undefined) return 0;
  const { text, applied } = applyFixes(source, diagnostics);
  if (applied === 0) return 0;
  try {
    writeFileSync(path, text);
  } catch (error) {
    const why = systemWords(error as NodeJS.ErrnoException);
    throw new CommandError(`cannot write \`${path}\`: ${why}`, exitCodes.environment);
  }
  return applied;
}
