/** A place in a source file. Offsets count UTF-16 units; lines and columns are 1-based, columns in code points. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** A place inside one file that is known from the context: what tokens and trees carry. */
export interface Range {
  readonly start: number;
  readonly end: number;
}
