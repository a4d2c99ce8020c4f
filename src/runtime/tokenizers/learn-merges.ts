import { PairQueue, PairTable } from './pair-queue.ts';

/** Distinct words, end to end. */
export interface Words {
  /** The symbols of all words: bytes at first. Consumed: merges happen in place. */
  readonly symbols: Int32Array;
  /** First symbol of each word, and the total at the end: one more entry than words. */
  readonly starts: Int32Array;
  /** How often each word occurs. */
  readonly counts: Float64Array;
}

/** The merge of two symbols; the n-th merge makes the symbol 256 + n. */
export type Merge = readonly [left: number, right: number];

/**
 * Byte-pair encoding: again and again the most frequent adjacent pair becomes a symbol, until `maxMerges` are made
 * or no pair occurs `minCount` times. Equal counts are decided by the smaller left, then right symbol, so the result
 * depends on nothing but the counts.
 * Counts are kept up to date around each merge instead of being counted again.
 * @see https://arxiv.org/abs/1508.07909 section 3.2
 */
export function learnMerges(words: Words, maxMerges: number, minCount: number): Merge[] {
  const table = countPairs(words, minCount);
  const queue = new PairQueue(table);
  for (let pair = 0; pair < table.count.length; pair++) queue.push(pair);
  const lengths = Int32Array.from(words.counts, (_, w) => words.starts[w + 1]! - words.starts[w]!);
  const changes = new Neighbours(256 + maxMerges);
  const merges: Merge[] = [];
  while (merges.length < maxMerges) {
    const pair = queue.pop();
    if (pair === undefined || table.count[pair]! < minCount) break;
    const [a, b, made] = [table.left[pair]!, table.right[pair]!, 256 + merges.length];
    for (const word of table.words[pair]!) {
      lengths[word] = mergeInWord(words, word, lengths[word]!, a, b, made, changes);
    }
    table.count[pair] = 0;
    table.words[pair] = undefined;
    changes.apply(table, queue, a, b, made, minCount);
    merges.push([a, b]);
  }
  return merges;
}

function countPairs({ symbols, starts, counts }: Words, minCount: number): PairTable {
  const seen = new Side(256 * 256);
  for (let word = 0; word < counts.length; word++) {
    for (let i = starts[word]! + 1; i < starts[word + 1]!; i++) {
      seen.note(symbols[i - 1]! * 256 + symbols[i]!, word, counts[word]!);
    }
  }
  const table = new PairTable();
  seen.drain((bytes, count, words) => {
    if (count >= minCount) table.add(bytes >> 8, bytes & 255, count, words);
  });
  return table;
}

/** Replaces (a, b) by `made` in one word, from the left, and notes which pairs that breaks and makes. */
function mergeInWord(
  { symbols, starts, counts }: Words,
  word: number,
  length: number,
  a: number,
  b: number,
  made: number,
  changes: Neighbours,
): number {
  const start = starts[word]!;
  const end = start + length;
  const count = counts[word]!;
  let out = start;
  for (let i = start; i < end; i++) {
    if (symbols[i] !== a || i + 1 >= end || symbols[i + 1] !== b) {
      symbols[out++] = symbols[i]!;
      continue;
    }
    // A pair with the merge just before was noted there, as its right neighbour.
    if (out > start && symbols[out - 1] !== made) changes.left.note(symbols[out - 1]!, word, count);
    if (i + 2 < end) {
      const again = symbols[i + 2] === a && i + 3 < end && symbols[i + 3] === b;
      if (again) changes.between.note(made, word, count);
      else changes.right.note(symbols[i + 2]!, word, count);
    }
    symbols[out++] = made;
    i++;
  }
  return out - start;
}

/** Counts of things numbered from 0, and the words they were seen in. */
class Side {
  readonly touched: number[] = [];
  readonly count: Float64Array;
  readonly words: number[][] = [];

  constructor(symbols: number) {
    this.count = new Float64Array(symbols);
  }

  note(symbol: number, word: number, count: number): void {
    if (this.count[symbol] === 0) {
      this.touched.push(symbol);
      this.words[symbol] = [];
    }
    this.count[symbol]! += count;
    const seen = this.words[symbol]!;
    if (seen[seen.length - 1] !== word) seen.push(word);
  }

  /** Calls back once for each symbol and forgets them all. */
  drain(visit: (symbol: number, count: number, words: number[]) => void): void {
    for (const symbol of this.touched) {
      visit(symbol, this.count[symbol]!, this.words[symbol]!);
      this.count[symbol] = 0;
      this.words[symbol] = [];
    }
    this.touched.length = 0;
  }
}

/** What one merge of (a, b) changes: each (x, a) becomes (x, made), each (b, y) (made, y), each (b, a) (made, made). */
class Neighbours {
  readonly left: Side;
  readonly right: Side;
  readonly between: Side;

  constructor(symbols: number) {
    this.left = new Side(symbols);
    this.right = new Side(symbols);
    this.between = new Side(symbols);
  }

  apply(table: PairTable, queue: PairQueue, a: number, b: number, made: number, minCount: number): void {
    const lose = (left: number, right: number, count: number) => {
      const pair = table.find(left, right);
      // The merged pair itself (a = b) is done with; a pair that was too rare is not in the table.
      if (pair !== undefined && table.words[pair] !== undefined) table.count[pair]! -= count;
    };
    // Counts never rise again, so a pair that is too rare now need not be kept.
    const gain = (left: number, right: number, count: number, words: readonly number[]) => {
      if (count >= minCount) queue.push(table.add(left, right, count, words));
    };
    this.left.drain((x, count, words) => {
      lose(x, a, count);
      gain(x, made, count, words);
    });
    this.right.drain((y, count, words) => {
      lose(b, y, count);
      gain(made, y, count, words);
    });
    this.between.drain((_, count, words) => {
      lose(b, a, count);
      gain(made, made, count, words);
    });
  }
}
