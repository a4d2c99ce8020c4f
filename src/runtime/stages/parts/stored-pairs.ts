import { Numbers } from './numbers.ts';
import type { Pair } from './pairs.ts';
import type { StoredSequences } from './stored-sequences.ts';

/** Pairs by their number: their answers in turn, the chosen one before the rejected one. */
export class StoredPairs {
  private readonly margins = new Numbers(Float32Array);

  constructor(readonly answers: StoredSequences) {}

  get count(): number {
    return this.margins.length;
  }

  add({ chosen, rejected, margin }: Pair): void {
    this.answers.add(unmarked(chosen));
    this.answers.add(unmarked(rejected));
    this.margins.push(margin);
  }

  read(number: number): Pair {
    return {
      chosen: this.answers.ids(2 * number),
      rejected: this.answers.ids(2 * number + 1),
      margin: this.margins.all[number]!,
    };
  }

  /** Tokens of the longer answer of each. */
  longest(): Int32Array {
    const { lengths } = this.answers;
    return Int32Array.from({ length: this.count }, (_, i) => Math.max(lengths[2 * i]!, lengths[2 * i + 1]!));
  }
}

/** A sequence of which nothing is predicted. */
export const unmarked = (ids: Int32Array) => ({ ids, supervised: new Uint8Array(ids.length) });
