import { compileSplit } from './engine.ts';
import type { Words } from './learn-merges.ts';
import { preTokenizer } from './pre-token-pattern.ts';

export interface MostWords {
  readonly words: number;
  /** UTF-16 units of all of them. */
  readonly units: number;
}

/** Beyond all words of a language, and what merges are learned from in less than half a gigabyte. */
const MOST: MostWords = { words: 2 ** 20, units: 2 ** 23 };

/**
 * The distinct pre-tokens of texts with their counts. Special tokens in the text are boundaries and not counted.
 * Memory is bounded: where there are more than `most`, the rarest are forgotten until half of it is left, and counted from
 * 0 if they come again (lossy counting, https://www.vldb.org/conf/2002/S10P03.pdf, section 4.2, by size).
 */
export class WordCounter {
  private readonly counts = new Map<string, number>();
  private units = 0;
  private readonly split = compileSplit(preTokenizer.pretokenizers[0]);
  private readonly special: RegExp | undefined;

  constructor(
    specialTokens: readonly string[],
    private readonly most: MostWords = MOST,
  ) {
    this.special = specialTokens.length === 0 ? undefined : anyOf(specialTokens);
  }

  add(text: string): void {
    for (const part of this.special === undefined ? [text] : text.split(this.special)) {
      for (const [word] of part.matchAll(this.split)) this.addWord(word);
    }
  }

  private addWord(word: string): void {
    const count = this.counts.get(word);
    if (count !== undefined) {
      this.counts.set(word, count + 1);
      return;
    }
    // A copy: the word is a view that would keep the whole text in memory.
    this.counts.set(Buffer.from(word).toString(), 1);
    this.units += word.length;
    const { words, units } = this.most;
    if (this.counts.size > words || this.units > units) this.forgetRare();
  }

  private forgetRare(): void {
    const { words, units } = this.most;
    for (let rare = 1; this.counts.size > words / 2 || this.units > units / 2; rare *= 2) {
      for (const [word, count] of this.counts) {
        if (count > rare) continue;
        this.counts.delete(word);
        this.units -= word.length;
      }
    }
  }

  words(): Words {
    const starts = new Int32Array(this.counts.size + 1);
    let last = 0;
    for (const word of this.counts.keys()) {
      starts[last + 1] = starts[last]! + Buffer.byteLength(word);
      last++;
    }
    const bytes = Buffer.alloc(starts[last]!);
    let at = 0;
    for (const word of this.counts.keys()) at += bytes.write(word, at);
    return { symbols: Int32Array.from(bytes), starts, counts: Float64Array.from(this.counts.values()) };
  }
}

/** Any of these strings, the longest first where several begin at one place. */
function anyOf(strings: readonly string[]): RegExp {
  const longestFirst = [...strings].sort((x, y) => y.length - x.length);
  return new RegExp(longestFirst.map((s) => s.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'g');
}
