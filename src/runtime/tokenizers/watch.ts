import { FILE } from './component.ts';
import { hasUnknownPattern } from './pattern.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { OutOfTime, withinTime } from './within-time.ts';

/** For a text of any length, and per UTF-16 unit of it. */
const LEAST_MS = 1000;
const MS_PER_UNIT = 0.02;

/** Runs work on texts of so many UTF-16 units. @throws TokenizerError where it takes too long */
export type Watch = <T>(texts: readonly string[], work: () => T) => T;

/** What runs the patterns of these parts of a tokenizer.json: those that are not known to end soon are watched. */
export function watch(parts: readonly unknown[]): Watch {
  if (!hasUnknownPattern(parts)) return (_, work) => work();
  return (texts, work) => {
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const limit = LEAST_MS + length * MS_PER_UNIT;
    try {
      return withinTime(limit, work);
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error;
      throw new TokenizerError(
        FILE,
        `cannot be used: its pattern takes more than ${Math.round(limit)} ms for a text of ${length} characters`,
        [
          'a pattern with one repetition inside another can take forever; use a tokenizer from a source that you trust',
        ],
      );
    }
  };
}
