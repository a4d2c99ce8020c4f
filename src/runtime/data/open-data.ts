import { join } from 'node:path';
import type { DataExpression } from '../../compiler/graph/graph.ts';
import { resolveConvention } from './convention.ts';
import { operatorTable, sourceTable } from './entries.ts';
import { filterRows, type Row, type SidedRow, type Split } from './row.ts';
import type { Source, SourceCall } from './source.ts';

export interface OpenOptions {
  /** Directory of the pipeline file; file names in rows and errors begin with it. */
  readonly root: string;
  readonly split: Split;
}

/** Text that goes on in the next row is handed on in pieces of about so many UTF-16 units. */
const PIECE = 1 << 20;

/**
 * Streams the rows of a data expression, one side of them or all, in the order of the files.
 * @throws DataError while reading: a file is missing or empty, a row cannot be used
 */
export async function* openData(
  expression: DataExpression,
  { root, split }: OpenOptions,
): AsyncGenerator<Row> {
  for await (const row of joinPieces(sidedRows(expression, root, split))) {
    const { side: _, ...plain } = row;
    yield plain;
  }
}

/** Rows of one side, or of both, each knowing its side; blocks of text not yet joined. */
async function* sidedRows(expression: DataExpression, root: string, split: Split): AsyncGenerator<SidedRow> {
  const operators = expression.operators.map(({ name, options }) => ({
    operator: operatorTable[name]!,
    options,
  }));
  const wanted = operators.some(({ operator }) => operator.needsAll) ? 'all' : split;
  const { source, call } = await sourceCall(expression, root, (input) =>
    joinPieces(sidedRows(input, root, wanted)),
  );
  const isSplitLater = operators.some(({ operator }) => operator === operatorTable.split);
  let rows = source.rows({ ...call, isSplitLater });
  for (const { operator, options } of operators) rows = operator.apply(rows, options);
  yield* split === 'all' ? rows : filterRows(rows, (row) => row.side === split);
}

/** The source of an expression and what it is called with; the convention is a source of files by then. */
export async function sourceCall(
  expression: DataExpression,
  root: string,
  open: SourceCall['open'],
): Promise<{ readonly source: Source; readonly call: SourceCall; readonly resolved: DataExpression }> {
  const directory = join(root, expression.directory);
  const resolved = await resolveConvention(expression, directory);
  const { name, options, inputs } = resolved.source;
  const source = sourceTable[name];
  if (source === undefined) throw new Error(`there is no data source ${name}`);
  return { source, call: { options, inputs, directory, open }, resolved };
}

/** Joins rows of text with those that continue them, up to about a million characters. */
async function* joinPieces(rows: AsyncIterable<SidedRow>): AsyncGenerator<SidedRow> {
  let open: SidedRow | undefined;
  let parts: string[] = [];
  let length = 0;
  const closed = (row: SidedRow): SidedRow =>
    parts.length === 1 ? row : { ...row, value: { ...row.value, text: parts.join('') } };
  for await (const row of rows) {
    const text = String(row.value.text ?? '');
    if (open !== undefined && (row.continues === undefined || length >= PIECE)) {
      yield closed(open);
      open = undefined;
    }
    if (open === undefined) [open, parts, length] = [row, [], 0];
    parts.push(text);
    length += text.length;
  }
  if (open !== undefined) yield closed(open);
}
