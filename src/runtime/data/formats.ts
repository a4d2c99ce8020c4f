/** Files by their endings: which source reads them. */
import type { Row } from './row.ts';
import { readCsv } from './sources/csv.ts';
import { readJson } from './sources/json.ts';
import { readJsonLines } from './sources/jsonl.ts';
import { readParquet } from './sources/parquet.ts';
import { textBlocks } from './sources/text.ts';

interface Format {
  /** Name of the source that reads it. */
  readonly source: string;
  readonly read: (path: string) => AsyncIterable<Row>;
}

/** In the order in which a stage without data looks for them. */
export const formats: Readonly<Record<string, Format>> = {
  txt: { source: 'text', read: textBlocks },
  jsonl: { source: 'jsonl', read: readJsonLines },
  ndjson: { source: 'jsonl', read: readJsonLines },
  json: { source: 'json', read: readJson },
  csv: { source: 'csv', read: (path) => readCsv(path, ',') },
  tsv: { source: 'tsv', read: (path) => readCsv(path, '\t') },
  parquet: { source: 'parquet', read: readParquet },
};

/** How a packed file's name may go on after its ending. */
export const packedEndings = ['gz', 'zst'];

/** By what stands after the last point of its name, without `.gz` and `.zst`; undefined for other endings. */
export function formatOf(path: string): Format | undefined {
  const [, ending] = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(path) ?? [];
  const name = ending?.toLowerCase() ?? '';
  return Object.hasOwn(formats, name) ? formats[name] : undefined;
}
