/** Every source and operator of data expressions, by name. */
import type { CallEntry } from '../../compiler/catalog.ts';
import { accepted } from './operators/accepted.ts';
import { columns } from './operators/columns.ts';
import { pairs } from './operators/pairs.ts';
import { sample } from './operators/sample.ts';
import { split } from './operators/split.ts';
import type { Operator, Source } from './source.ts';
import { csv, tsv } from './sources/csv.ts';
import { files } from './sources/files.ts';
import { json } from './sources/json.ts';
import { jsonl } from './sources/jsonl.ts';
import { mix } from './sources/mix.ts';
import { parquet } from './sources/parquet.ts';
import { text } from './sources/text.ts';

export const sourceTable: Readonly<Record<string, Source>> = {
  text,
  jsonl,
  json,
  csv,
  tsv,
  parquet,
  files,
  mix,
};
export const operatorTable: Readonly<Record<string, Operator>> = {
  split,
  sample,
  columns,
  pairs,
  accepted,
};

const entriesOf = (table: Readonly<Record<string, { readonly entry: CallEntry }>>) =>
  Object.fromEntries(Object.entries(table).map(([name, { entry }]) => [name, entry]));

/** What the compiler is told of them. */
export const sources: Readonly<Record<string, CallEntry>> = entriesOf(sourceTable);
export const operators: Readonly<Record<string, CallEntry>> = entriesOf(operatorTable);
