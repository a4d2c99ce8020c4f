/** Rows that are too long: gathered while rows are read, so that one error names the first of them and says how many there are. */
import { basename } from 'node:path';
import type { Row } from '../../data/row.ts';
import { StageError } from '../stage.ts';

/** Rows that a note names. */
const NAMED = 5;

export interface OverlongProblem {
  readonly message: string;
  /** Of the stage, to blame for it. */
  readonly option: string;
  readonly help: readonly string[];
}

export class OverlongRows {
  private readonly first: { readonly row: Row; readonly tokens: number }[] = [];
  private problem: OverlongProblem | undefined;
  private count = 0;

  add(row: Row, tokens: number, problem: OverlongProblem): void {
    this.count++;
    this.problem ??= problem;
    if (this.first.length < NAMED) this.first.push({ row, tokens });
  }

  /** After the last of so many rows. Errors: StageError `overlong-row` at the first one that was added. */
  refuse(rows: number): void {
    if (this.problem === undefined) return;
    const { message, ...place } = this.problem;
    const { file, line } = this.first[0]!.row;
    const notes = this.count > 1 ? [this.inWords(rows)] : [];
    throw new StageError('overlong-row', message, { ...place, file, line, notes });
  }

  private inWords(rows: number): string {
    const named = this.first.map(
      ({ row: { file, line }, tokens }) => `${basename(file)}:${line} (${tokens} tokens)`,
    );
    const more = this.count > NAMED ? `, and ${this.count - NAMED} more` : '';
    return `${this.count} of ${rows} rows are too long: ${named.join(', ')}${more}`;
  }
}
