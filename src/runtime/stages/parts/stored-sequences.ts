/** Sequences by their number, kept as an index in memory and tokens in a store: 16 bytes a row beside its tokens. */
import type { Tokenizer } from '../../tokenizers/load-tokenizer.ts';
import type { StageContext } from '../stage.ts';
import type { TokenStore } from '../tokens.ts';
import { Numbers } from './numbers.ts';

/** A sequence and which of its tokens are learned: 1 where one is. */
export interface MarkedSequence {
  readonly ids: Int32Array;
  readonly supervised: Uint8Array;
}

export interface Sequences {
  /** Tokens of each. */
  readonly lengths: Int32Array;
  /** Those of them that are predicted and learned; never the first. */
  readonly learned: Int32Array;
  read(number: number): MarkedSequence;
}

/** A word of the store holds the marks of so many tokens. */
const MARKS = 16;
/** What each word of a store is below: a token, or marks. */
export const wordLimit = (vocabularySize: number): number => Math.max(2 ** MARKS, vocabularySize);

export class StoredSequences implements Sequences {
  private readonly starts = new Numbers(Float64Array);
  private readonly sizes = new Numbers(Int32Array);
  private readonly counts = new Numbers(Int32Array);

  constructor(private readonly store: TokenStore) {}

  get count(): number {
    return this.sizes.length;
  }

  get lengths(): Int32Array {
    return this.sizes.all;
  }

  get learned(): Int32Array {
    return this.counts.all;
  }

  add({ ids, supervised }: MarkedSequence): void {
    this.starts.push(this.store.length);
    this.sizes.push(ids.length);
    this.counts.push(learnedIn(supervised));
    this.store.append(ids);
    this.store.append(marksOf(supervised));
  }

  read(number: number): MarkedSequence {
    const size = this.lengths[number]!;
    const start = this.starts.all[number]!;
    const stored = this.store.subarray(start, start + size + wordsFor(size));
    const supervised = Uint8Array.from({ length: size }, (_, i) => {
      const word = stored[size + Math.floor(i / MARKS)]!;
      return (word >> (i % MARKS)) & 1;
    });
    return { ids: stored.subarray(0, size), supervised };
  }

  /** The tokens alone. */
  ids(number: number): Int32Array {
    const start = this.starts.all[number]!;
    return this.store.subarray(start, start + this.lengths[number]!);
  }
}

/** Where a stage keeps the rows of one side of its data. */
export const sequencesFor = (
  context: Pick<StageContext, 'tokens'>,
  { vocabularySize }: Pick<Tokenizer, 'vocabularySize'>,
): StoredSequences => new StoredSequences(context.tokens(wordLimit(vocabularySize)));

/** Tokens of the longest one; 0 where there is none. */
export const longestIn = ({ lengths }: Pick<Sequences, 'lengths'>): number =>
  lengths.reduce((most, length) => Math.max(most, length), 0);

/** Words of a store that a sequence takes. */
export const storedWords = (tokens: number): number => tokens + wordsFor(tokens);

const wordsFor = (tokens: number) => Math.ceil(tokens / MARKS);

const learnedIn = (supervised: Uint8Array): number =>
  supervised.reduce((n, mark, i) => n + (i > 0 ? mark : 0), 0);

function marksOf(supervised: Uint8Array): Int32Array {
  const words = new Int32Array(wordsFor(supervised.length));
  supervised.forEach((mark, i) => {
    words[Math.floor(i / MARKS)]! |= mark << (i % MARKS);
  });
  return words;
}
