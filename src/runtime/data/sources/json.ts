import { DataError } from '../data-error.ts';
import { JsonElements } from '../files/json-elements.ts';
import { jsonRow } from '../files/json-row.ts';
import { readBytes } from '../files/read-bytes.ts';
import { refuseUtf16 } from '../files/read-lines.ts';
import type { Row } from '../row.ts';
import { fileSource, pathOption } from '../source.ts';
import { readJsonLines } from './jsonl.ts';

export const json = fileSource(
  {
    name: 'json',
    summary: 'files that are one JSON list of objects, or an object with such a list',
    details: `\`[{…}, {…}]\`, \`{"data": [{…}]}\`, \`{"version": 1, "train": [{…}]}\`: where an object has several lists of objects, \`field\`
says which holds the rows. Files are read as a stream, a row at a time. Many files called .json hold an object on each
line; they are read as such. Messages name the row: 1 is the first.`,
    example: 'data alpaca = json("data/alpaca.json")',
    options: {
      path: pathOption,
      field: {
        description: 'which value of the object is the list of rows',
        type: 'string',
        defaultNote: 'the only list of objects',
      },
    },
    required: ['path'],
  },
  ['json'],
  (path, { field }) => readJson(path, field === undefined || field === null ? undefined : String(field)),
);

export async function* readJson(path: string, field?: string): AsyncGenerator<Row> {
  const elements = new JsonElements(path, field);
  let row = 0;
  let begun = false;
  try {
    for await (const chunk of readBytes(path)) {
      if (!begun) {
        refuseUtf16(chunk, path);
        if (beginsAsLines(chunk)) {
          yield* readJsonLines(path);
          return;
        }
      }
      begun = true;
      for (const text of elements.push(chunk)) yield jsonRow(text, { file: path, line: ++row });
    }
    elements.end();
  } catch (error) {
    if (!(error instanceof DataError) || error.kind !== 'broken-data-file' || row === 0) throw error;
    const { data } = error as DataError<'broken-data-file'>;
    throw new DataError('broken-data-file', { ...data, after: `row ${row}` });
  }
  if (!begun) throw new DataError('empty-data', { path });
}

/** A whole object on the first line, and more after it: JSON lines under another name. */
function beginsAsLines(chunk: Buffer): boolean {
  const end = chunk.indexOf(0x0a);
  if (end < 0 || chunk.subarray(end).toString().trim() === '') return false;
  const line = chunk
    .subarray(0, end)
    .toString()
    .replace(/^\uFEFF/, '')
    .trim();
  if (!line.startsWith('{')) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
