import type { ProblemData } from '../../compiler/diagnostics/words.ts';
import { words } from '../../compiler/diagnostics/words.ts';

/** The problems that data can have: names of the diagnostics table. */
export type DataProblem =
  | 'missing-data-file'
  | 'empty-data'
  | 'not-json'
  | 'missing-field'
  | 'bad-row'
  | 'no-convention-data'
  | 'broken-data-file'
  | 'ambiguous-columns'
  | 'stage-failed';

/** A problem with a data file, as data; its words come from the diagnostics table. */
export class DataError<K extends DataProblem = DataProblem> extends Error {
  override readonly name = 'DataError';
  readonly kind: K;
  readonly data: ProblemData<K>;
  /** The data file, where one is to blame. */
  readonly file: string | undefined;
  /** 1-based. */
  readonly line: number | undefined;
  readonly notes: readonly string[];
  readonly help: readonly string[];

  constructor(kind: K, data: ProblemData<K>) {
    const said = (words[kind] as (data: ProblemData<K>) => ReturnType<(typeof words)[K]>)(data);
    super(said.message);
    this.kind = kind;
    this.data = data;
    const place = data as { readonly file?: string; readonly line?: number; readonly path?: string };
    this.file = place.file ?? place.path;
    this.line = place.line;
    this.notes = said.notes ?? [];
    this.help = said.help ?? [];
  }
}

/** A row that cannot be used, and why. */
export function badRow(
  row: { readonly file: string; readonly line: number },
  why: string,
): DataError<'bad-row'> {
  return new DataError('bad-row', { file: row.file, line: row.line, why });
}

/** A file that is there and cannot be read. `why` goes on from `… cannot be read: `. */
export function brokenFile(path: string, why: string, help?: string): DataError<'broken-data-file'> {
  return new DataError('broken-data-file', { path, why, ...(help !== undefined && { help }) });
}
