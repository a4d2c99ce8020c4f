export interface Row {
  readonly value: Readonly<Record<string, unknown>>;
  /** As it was opened, for messages. */
  readonly file: string;
  /** 1-based line of the file on which the row begins; in JSON and parquet files the number of the row. */
  readonly line: number;
  /** A piece of text that goes on where the row before it ended, without a gap: no document ends between them. */
  readonly continues?: true;
}

export type Side = 'train' | 'test';
export type Split = Side | 'all';

/** A row that knows which side of the split it is on. */
export interface SidedRow extends Row {
  readonly side: Side;
}

/** Rows without those that `keep` turns down; what followed a row that is gone no longer continues it. */
export async function* filterRows<R extends Row>(
  rows: AsyncIterable<R>,
  keep: (row: R) => boolean,
): AsyncGenerator<R> {
  let gap = false;
  for await (const row of rows) {
    if (!keep(row)) gap = true;
    else {
      yield gap ? withoutContinues(row) : row;
      gap = false;
    }
  }
}

export function withoutContinues<R extends Row>(row: R): R {
  if (row.continues === undefined) return row;
  const { continues: _, ...rest } = row;
  return rest as R;
}
