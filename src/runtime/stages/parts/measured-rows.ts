import type { Row } from '../../data/row.ts';
import { type RowKind, rowKindOf } from '../../data/shapes.ts';
import type { StageContext } from '../stage.ts';
import { noRowsIn } from './unmeasurable.ts';

/** The rows that `eval` measures: the first `limit` of a side of its data, read anew whenever they are gone over. */
export class MeasuredRows implements AsyncIterable<Row> {
  private seen = 0;

  constructor(private readonly context: Pick<StageContext, 'job' | 'rows'>) {}

  /** How many there were, the last time that they were gone over. */
  get count(): number {
    return this.seen;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row> {
    const { options } = this.context.job;
    const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
    this.seen = 0;
    for await (const row of this.context.rows('data', options.split as 'test')) {
      if (this.seen >= limit) return;
      this.seen++;
      yield row;
    }
  }

  /** What the first of them can be used for. Errors: StageError where there is none. */
  async kind(): Promise<RowKind> {
    for await (const row of this) return rowKindOf(row);
    throw noRowsIn(String(this.context.job.options.split));
  }
}
