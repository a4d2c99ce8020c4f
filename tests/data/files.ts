/** Rows and expressions for the tests of this folder. */
import type { DataExpression, Options } from '../../src/compiler/graph/graph.ts';
import type { DataError } from '../../src/runtime/data/data-error.ts';
import { openData } from '../../src/runtime/data/open-data.ts';
import type { Row, Split } from '../../src/runtime/data/row.ts';

const span = { file: 'x.ftp', start: 0, end: 0, line: 1, column: 1 };

export function data(
  name: string,
  options: Options,
  operators: readonly (readonly [string, Options])[] = [],
  inputs: readonly DataExpression[] = [],
): DataExpression {
  const applied = operators.map(([operator, given]) => ({ name: operator, options: given }));
  return { source: { name, options, inputs }, operators: applied, directory: '.', span };
}

export async function rowsOf(expression: DataExpression, root: string, split: Split = 'all'): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of openData(expression, { root, split })) rows.push(row);
  return rows;
}

/** The DataError that reading ends with, its place relative to `root`. */
export async function failureOf(
  expression: DataExpression,
  root: string,
): Promise<DataError & { place: string }> {
  try {
    await rowsOf(expression, root);
  } catch (error) {
    const failure = error as DataError;
    const file = failure.file?.replace(`${root}/`, '');
    return Object.assign(failure, { place: [file, failure.line].filter((x) => x !== undefined).join(':') });
  }
  throw new Error('no row was refused');
}

export const jsonLines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');
