import { badRow } from '../data-error.ts';
import type { Row } from '../row.ts';

/** What stages read of a row; all of it under these names. */
export type Field = 'text' | 'prompt' | 'completion' | 'messages' | 'chosen' | 'rejected';

/** A way in which published data sets are laid out. */
export interface Shape {
  /** As people call it. */
  readonly name: string;
  /** Its columns, for people. */
  readonly columns: string;
  /** Where each field comes from, by the columns of a row; undefined for rows of another shape. */
  mapping(row: Row): Mapping | undefined;
  /** The row with those fields. @throws DataError `bad-row` for a value of the wrong kind, `ambiguous-columns` */
  read(row: Row): Readonly<Record<string, unknown>>;
}

export type Mapping = { readonly [F in Field]?: Origin };

/** Columns that a field is made of, in order, and what is done with them where they are not only put in their place. */
export interface Origin {
  readonly columns: readonly string[];
  readonly how?: string;
}

/** A field that is a column as it stands, or after others. */
export const column = (...columns: readonly (string | undefined)[]): Origin => ({
  columns: columns.filter((name) => name !== undefined),
});

/** Whether a row has a value in a column. */
export const has = ({ value }: Row, column: string): boolean =>
  Object.hasOwn(value, column) && value[column] !== undefined && value[column] !== null;

/** @throws DataError `bad-row` where it is not text */
export function textIn(row: Row, column: string): string {
  const value = row.value[column];
  if (typeof value === 'string') return value;
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : `a ${typeof value}`;
  throw badRow(row, `the field \`${column}\` is ${kind}, not text`);
}
