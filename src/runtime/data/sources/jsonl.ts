import { badRow, DataError } from '../data-error.ts';
import { readLines } from '../read-lines.ts';
import type { Row } from '../row.ts';
import { fileSource, pathOption } from '../source.ts';

export const jsonl = fileSource(
  {
    name: 'jsonl',
    summary: 'files with one JSON object on each line',
    details:
      'Blank lines are passed over. A line that is not JSON, or not an object, is an error that names file and line.',
    example: 'data consult = jsonl("data/consult.jsonl")',
    options: { path: pathOption },
    required: ['path'],
  },
  readJsonLines,
);

async function* readJsonLines(path: string): AsyncGenerator<Row> {
  for await (const { text, number } of readLines(path)) {
    if (text.trim() === '') continue;
    const place = { file: path, line: number };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new DataError('not-json', { ...place, text, why: reason(error as Error) });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badRow(place, `a row is a JSON object, and this is ${kindOf(value)}`);
    }
    yield { value: value as Row['value'], ...place };
  }
}

/** What the engine says, without the excerpt it appends (the words show the line themselves). */
function reason(error: Error): string {
  return error.message
    .replace(/(, |\s*)(\.\.\.)?"[\s\S]*$/, '')
    .replace(/^\w/, (first) => first.toLowerCase());
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
