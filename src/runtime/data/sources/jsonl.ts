import { brokenFile } from '../data-error.ts';
import { jsonRow } from '../files/json-row.ts';
import { readLines } from '../files/read-lines.ts';
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
  ['jsonl', 'ndjson'],
  readJsonLines,
);

export async function* readJsonLines(path: string): AsyncGenerator<Row> {
  let first = true;
  for await (const { text, number } of readLines(path)) {
    if (text.trim() === '') continue;
    if (first && text.trimStart().startsWith('[') && !isWholeValue(text)) {
      const help = `read it with \`json("${path}")\``;
      throw brokenFile(path, 'it is one JSON list, and not an object on each line', help);
    }
    first = false;
    yield jsonRow(text, { file: path, line: number });
  }
}

/** A list that ends on its line is a wrong row; one that does not is a file of another kind. */
function isWholeValue(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined && !/^\s*\[\s*\{/.test(text);
  } catch {
    return false;
  }
}
