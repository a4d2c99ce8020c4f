/** Which names a pattern of others means. */
import { createContext, Script } from 'node:vm';
import { PeftError } from './peft-error.ts';

const LITERAL = /^[\w.]*$/;
const TIMEOUT_MS = 500;
const matching = new Script('names.filter((name) => new RegExp(pattern).test(name))');

/**
 * The names that a regular expression matches as a whole. It stands in a file that anyone may have written, so it runs under
 * a limit of time.
 * Errors: PeftError for what is no regular expression, and one that takes too long.
 */
export function namesMatching(pattern: string, names: readonly string[]): Set<string> {
  if (LITERAL.test(pattern) && !pattern.includes('.'))
    return new Set(names.filter((name) => name === pattern));
  const context = createContext({ names, pattern: `^(?:${pattern})$` });
  try {
    return new Set(matching.runInContext(context, { timeout: TIMEOUT_MS }) as string[]);
  } catch (error) {
    const late = (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    const shown = JSON.stringify(pattern.slice(0, 80));
    throw new PeftError(
      late
        ? `the pattern ${shown} takes too long on a module's name`
        : `the pattern ${shown} is no regular expression that ftc can read`,
    );
  }
}

/** Names that are one of the ends, or end with a dot and one of them. */
export const namesEnding = (ends: readonly string[], names: readonly string[]): Set<string> =>
  new Set(names.filter((name) => ends.some((end) => name === end || name.endsWith(`.${end}`))));
