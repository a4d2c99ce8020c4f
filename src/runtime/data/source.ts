import type { CallEntry } from '../../compiler/catalog.ts';
import type { DataExpression, Options } from '../../compiler/graph/graph.ts';
import { DataError } from './data-error.ts';
import { findFiles } from './files/find-files.ts';
import type { Row, SidedRow } from './row.ts';
import { defaultTestShare, sideOf } from './row-hash.ts';

/** Where rows come from. */
export interface Source {
  readonly entry: CallEntry;
  /** Every file it reads, in order; none for a source of other data. */
  files(call: SourceCall): Promise<string[]>;
  /** For a source that reads files in different ways: how this one is read. */
  readonly formatOf?: (path: string) => string;
  rows(call: SourceCall): AsyncIterable<SidedRow>;
}

export interface SourceCall {
  readonly options: Options;
  readonly inputs: readonly DataExpression[];
  /** What relative paths start from. */
  readonly directory: string;
  /** An operator after the source says on which side each row is. */
  readonly isSplitLater?: boolean;
  /** Rows of an input: of the side that is asked for, or of both where an operator after the source needs them. */
  open(input: DataExpression): AsyncIterable<SidedRow>;
}

/** Rows → rows. */
export interface Operator {
  readonly entry: CallEntry;
  apply(rows: AsyncIterable<SidedRow>, options: Options): AsyncIterable<SidedRow>;
  /** Must see the rows of both sides: it chooses among all of them, or moves them. */
  readonly needsAll: boolean;
}

/**
 * A source that reads files one after another; the default split is by a hash of each row's value.
 * @param endings what its files are called (`jsonl`), packed or not: those files of a directory that it reads
 */
export function fileSource(
  entry: CallEntry,
  endings: readonly string[],
  read: (path: string, options: Options) => AsyncIterable<Row>,
  formatOf?: Source['formatOf'],
): Source {
  const files = ({ options, directory }: SourceCall) => findFiles(String(options.path), directory, endings);
  return {
    entry,
    ...(formatOf && { formatOf }),
    files,
    async *rows(call) {
      for (const path of await files(call)) {
        let empty = true;
        for await (const row of read(path, call.options)) {
          empty = false;
          const side = call.isSplitLater ? 'train' : sideOf(row.value, defaultTestShare);
          yield { ...row, side };
        }
        if (empty) throw new DataError('empty-data', { path });
      }
    },
  };
}

export const pathOption = {
  description:
    'a file, a directory, or a pattern such as `notes/*.txt` or `{a,b}.jsonl`, relative to the pipeline file; packed as .gz or .zst too',
  type: 'string',
  position: 0,
  path: 'read',
} as const;
