import { checkValue } from '../check-value.ts';
import { badRow, DataError } from '../data-error.ts';
import type { Row } from '../row.ts';

/** A JSON object as a row. @throws DataError `not-json`, or `bad-row` where it is something else */
export function jsonRow(text: string, place: Omit<Row, 'value'>): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError('not-json', {
      file: place.file,
      line: place.line,
      text,
      why: reasonOf(error as Error),
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRow(place, `a row is a JSON object, and this is ${kindOf(value)}`);
  checkValue(value as Row['value'], place);
  return { value: value as Row['value'], ...place };
}

/** What the engine says, without the excerpt it appends (the words show the text themselves). */
function reasonOf(error: Error): string {
  return error.message
    .replace(/(, |\s*)(\.\.\.)?"[\s\S]*$/, '')
    .replace(/^\w/, (first) => first.toLowerCase());
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
