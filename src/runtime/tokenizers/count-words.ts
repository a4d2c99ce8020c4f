import { compileSplit } from './engine.ts';
import type { Words } from './learn-merges.ts';
import { preTokenizer } from './pre-token-pattern.ts';

/** The distinct pre-tokens of texts with their counts. Special tokens in the text are boundaries and not counted. */
export class WordCounter {
  private readonly counts = new Map<string, number>();
  private readonly split = compileSplit(preTokenizer.pretokenizers[0]);
  private readonly special: RegExp | undefined;

  constructor(specialTokens: readonly string[]) {
    this.special = specialTokens.length === 0 ? undefined : anyOf(specialTokens);
  }

  add(text: string): void {
    for (const part of this.special === undefined ? [text] : text.split(this.special)) {
      for (const [word] of part.matchAll(this.split)) this.addWord(word);
    }
  }

  private addWord(word: string): void {
    const count = this.counts.get(word);
    if (count !== undefined) this.counts.set(word, count + 1);
    // A copy: the word is a view that would keep the whole text in memory.
    else this.counts.set(Buffer.from(word).toString(), 1);
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
export function anyOf(strings: readonly string[]): RegExp {
  const longestFirst = [...strings].sort((x, y) => y.length - x.length);
  return new RegExp(longestFirst.map((s) => s.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'g');
}
