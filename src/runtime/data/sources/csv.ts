import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { badRow } from '../data-error.ts';
import { type Line, readLines } from '../files/read-lines.ts';
import type { Row } from '../row.ts';
import { fileSource, pathOption } from '../source.ts';

export const csv = fileSource(
  {
    name: 'csv',
    summary: 'comma-separated files whose first line names the columns',
    details: `Fields may be quoted with \`"\` and may then hold commas and line ends (RFC 4180). Every value is text. A row with another
number of fields than the first line is an error that names file and line.`,
    example: 'data questions = csv("data/questions.csv") → columns(prompt=问题 completion=回答)',
    options: {
      path: pathOption,
      delimiter: { description: 'what stands between fields', type: 'string', default: ',' },
    },
    required: ['path'],
  },
  ['csv'],
  (path, options) => readCsv(path, String(options.delimiter ?? ',')),
);

export const tsv = fileSource(
  {
    name: 'tsv',
    summary: 'files with a tab between fields, whose first line names the columns',
    details: 'As `csv` with another delimiter: fields may be quoted with `"`.',
    example: 'data questions = tsv("data/questions.tsv") → columns(prompt=问题 completion=回答)',
    options: { path: pathOption },
    required: ['path'],
  },
  ['tsv', 'tab'],
  (path) => readCsv(path, '\t'),
);

/** Any of them, wherever it stands: a file may be put together from others. */
const LINE_ENDS = ['\r\n', '\n', '\r'];

interface Parsed {
  readonly record: readonly string[];
  readonly raw: string;
}

export async function* readCsv(path: string, delimiter: string): AsyncGenerator<Row> {
  let nextLine = 1;
  const source = Readable.from(textOf(readLines(path)));
  const parser = parse({
    delimiter,
    raw: true,
    skip_empty_lines: true,
    relax_column_count: true,
    record_delimiter: LINE_ENDS,
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let header: readonly string[] | undefined;
  try {
    for await (const { record, raw } of parser as AsyncIterable<Parsed>) {
      const line = nextLine + linesIn(/^[\r\n]*/.exec(raw)![0]);
      nextLine += linesIn(raw);
      const place = { file: path, line };
      if (header === undefined) {
        header = columnNames(record, place);
        continue;
      }
      if (record.length !== header.length) {
        throw badRow(
          place,
          `the row has ${record.length} fields, and the first line names ${header.length} columns`,
        );
      }
      yield { value: Object.fromEntries(header.map((name, i) => [name, record[i]])), ...place };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw badRow({ file: path, line: nextLine }, csvReason(String(error.code)));
  } finally {
    source.destroy();
  }
}

/** The parser's own count takes `\r\n` between quotes for two. */
const linesIn = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0;

async function* textOf(lines: AsyncIterable<Line>): AsyncGenerator<string> {
  for await (const { text, end } of lines) yield text + end;
}

function columnNames(record: readonly string[], place: { file: string; line: number }): readonly string[] {
  const names = record.map((name) => name.trim());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badRow(place, `the column \`${twice}\` is named twice`);
  if (names.includes('')) throw badRow(place, `column ${names.indexOf('') + 1} has no name`);
  return names;
}

function csvReason(code: string): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quoted field that begins here never ends';
  if (code === 'CSV_INVALID_CLOSING_QUOTE') return 'a quoted field has text after its closing quote';
  if (code === 'INVALID_OPENING_QUOTE') return 'a quote stands inside a field that is not quoted';
  return `the row is not CSV (${code.toLowerCase().replaceAll('_', ' ')})`;
}
