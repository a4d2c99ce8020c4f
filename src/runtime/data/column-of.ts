import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { badRow } from './data-error.ts';
import type { Row } from './row.ts';

/** A column's value. @throws DataError `bad-row` with the columns there are */
export function columnOf(row: Row, column: string): unknown {
  if (Object.hasOwn(row.value, column)) return row.value[column];
  const names = Object.keys(row.value);
  const near = nearest(column, names);
  const hint = near === undefined ? '' : `; did you mean \`${near}\`?`;
  throw badRow(row, `the row has no column \`${column}\`, it has ${names.join(', ') || 'none'}${hint}`);
}
