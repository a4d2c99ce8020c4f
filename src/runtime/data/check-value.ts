import { badRow } from './data-error.ts';

/** Lists and objects in each other: more is no row that a stage could use, and too much to walk through. */
const DEEPEST = 64;
/** A surrogate without its pair. */
const half = /\p{Surrogate}/u;

/**
 * Refuses what no text can be made of: half of a character (`\ud83d` alone, left over where text was cut), and values
 * nested more than 64 deep. @throws DataError `bad-row` that names the field
 */
export function checkValue(
  value: Readonly<Record<string, unknown>>,
  place: { readonly file: string; readonly line: number },
): void {
  for (const [field, part] of Object.entries(value)) {
    const problem = problemIn(part, 1);
    if (problem !== undefined) throw badRow(place, `the field \`${field}\` ${problem}`);
  }
}

function problemIn(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string')
    return half.test(value) ? 'has half of a character (a surrogate without its pair)' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > DEEPEST) return `is nested more than ${DEEPEST} deep`;
  for (const part of Array.isArray(value) ? value : [...Object.keys(value), ...Object.values(value)]) {
    const problem = problemIn(part, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
