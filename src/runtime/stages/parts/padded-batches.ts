/** Sequences of different lengths as batches of a few static shapes, padded on the right. */
import { random } from '../../random/random.ts';
import type { Batch } from '../stage.ts';
import type { LanguageModelSpec } from './language-model-program.ts';
import type { Sequences } from './stored-sequences.ts';

/** Most shapes a stage compiles: each costs a session and its packed weights. */
const LARGEST_SHAPES = 3;
const ROUND = 8;
const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** One of many, by its number. */
export interface SequenceAt {
  readonly among: Sequences;
  readonly number: number;
}

/** A batch with the sequences that its first rows are, padded; a row after them holds nothing. */
export interface SequenceBatch extends Batch {
  readonly sequences: readonly SequenceAt[];
}

/** Lengths to pad to: the longest, and quantiles where they save at least a quarter. */
export function paddedLengths(lengths: ArrayLike<number>, context: number): number[] {
  const sorted = Int32Array.from(lengths).sort();
  const cap = (n: number) => Math.min(context, roundUp(n, ROUND));
  const chosen = [cap(sorted.at(-1) ?? 1)];
  for (const share of [0.9, 0.5]) {
    const candidate = cap(sorted[Math.floor(share * (sorted.length - 1))] ?? 1);
    if (chosen.length < LARGEST_SHAPES && candidate <= 0.75 * chosen.at(-1)!) chosen.push(candidate);
  }
  return chosen.reverse();
}

/** The rows of step `step`: shuffled anew every epoch, an epoch's last rows followed by the next one's first. */
export class RowOrder {
  private epoch = -1;
  private order: Int32Array = new Int32Array();
  constructor(
    private readonly count: number,
    private readonly seed: number,
  ) {}

  at(number: number): number {
    const epoch = Math.floor(number / this.count);
    if (epoch !== this.epoch) {
      this.order = random(this.seed, 'rows', epoch).permutation(this.count);
      this.epoch = epoch;
    }
    return this.order[number % this.count]!;
  }

  /** Indices of `size` rows from number `first` on. */
  take(first: number, size: number): number[] {
    return Array.from({ length: size }, (_, i) => this.at(first + i));
  }
}

/** The shortest first; of equal ones that which comes first. */
export const byLength = (lengths: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: lengths.length }, (_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);

interface Group {
  /** Numbers of sequences. */
  readonly numbers: readonly number[];
  readonly length: number;
  readonly learned: number;
}

/**
 * Batches for the language-model program: `ids` (B, T), `rows`, `labels`, `weights` (N). T is one of a few padded
 * lengths and N, the number of positions with loss, the most that any batch of that length has: every shape is known
 * before the first step. Weights are 1 / supervised tokens of the whole step. Sequences are read when their batch is made.
 */
export class SupervisedBatches {
  readonly lengths: readonly number[];
  private readonly learnedByLength = new Map<number, number>();
  private readonly order: RowOrder;
  private readonly tokensOf: Int32Array;
  private readonly learnedOf: Int32Array;

  constructor(
    private readonly sequences: Sequences,
    private readonly size: number,
    private readonly accumulate: number,
    steps: number,
    context: number,
    seed: number,
  ) {
    this.tokensOf = sequences.lengths;
    this.learnedOf = sequences.learned;
    this.lengths = paddedLengths(this.tokensOf, context);
    this.order = new RowOrder(this.tokensOf.length, seed);
    for (let step = 0; step < steps; step++) for (const group of this.groups(step)) this.note(group);
  }

  private note({ length, learned }: Group): void {
    this.learnedByLength.set(
      length,
      Math.max(this.learnedByLength.get(length) ?? 0, roundUp(learned, ROUND)),
    );
  }

  private group(numbers: readonly number[]): Group {
    const longest = Math.max(...numbers.map((i) => this.tokensOf[i]!));
    return {
      numbers,
      length: this.lengths.find((n) => n >= longest)!,
      learned: numbers.reduce((n, i) => n + this.learnedOf[i]!, 0),
    };
  }

  private groups(step: number): Group[] {
    const first = step * this.accumulate * this.size;
    return Array.from({ length: this.accumulate }, (_, micro) =>
      this.group(this.order.take(first + micro * this.size, this.size)),
    );
  }

  batches(step: number): SequenceBatch[] {
    const groups = this.groups(step);
    const learned = groups.reduce((n, g) => n + g.learned, 0);
    return groups.map((g) => this.batch(g, 1 / learned));
  }

  /** Tokens of a step's rows, prompts included and padding left out. */
  tokens(step: number): number {
    return this.groups(step)
      .flatMap((group) => group.numbers)
      .reduce((n, i) => n + this.tokensOf[i]!, 0);
  }

  /** Every sequence once, the short ones first, batch after batch; the last one is filled with empty rows. */
  *evaluation(): Generator<SequenceBatch> {
    const order = byLength(this.tokensOf);
    const groups = function* (this: SupervisedBatches) {
      for (let i = 0; i < order.length; i += this.size)
        yield this.group([...order.subarray(i, i + this.size)]);
    }.bind(this);
    for (const group of groups()) this.note(group);
    const learned = this.learnedOf.reduce((n, count) => n + count, 0);
    for (const group of groups()) yield this.batch(group, 1 / learned);
  }

  private batch({ numbers, length }: Group, weight: number): SequenceBatch {
    const count = this.learnedByLength.get(length)!;
    const ids = new Int32Array(this.size * length);
    const rows = new Int32Array(count);
    const labels = new Int32Array(count);
    const weights = new Float32Array(count);
    let n = 0;
    numbers.forEach((number, row) => {
      const sequence = this.sequences.read(number);
      ids.set(sequence.ids, row * length);
      for (let t = 1; t < sequence.ids.length; t++) {
        if (!sequence.supervised[t]) continue;
        rows[n] = row * length + t - 1;
        labels[n] = sequence.ids[t]!;
        weights[n++] = weight;
      }
    });
    return {
      sequences: numbers.map((number) => ({ among: this.sequences, number })),
      key: `${this.size}x${length}x${count}`,
      feeds: new Map([
        ['ids', { dtype: 'i32', shape: [this.size, length], data: ids }],
        ['rows', { dtype: 'i32', shape: [count], data: rows }],
        ['labels', { dtype: 'i32', shape: [count], data: labels }],
        ['weights', { dtype: 'f32', shape: [count], data: weights }],
      ]),
    };
  }
}

/** Sizes (B, T, N) from a batch's key. */
export function sizesOf(key: string): readonly [number, number, number] {
  const [batch, length, rows] = key.split('x').map(Number);
  return [batch!, length!, rows ?? batch! * length!];
}

/** The same for a language model's program; `rows` where only some positions carry loss. */
export function shapeOf(key: string): Pick<LanguageModelSpec, 'batch' | 'length' | 'rows'> {
  const [batch, length, rows] = key.split('x').map(Number);
  return { batch: batch!, length: length!, ...(rows !== undefined && { rows }) };
}

/** Positions of a batch that carry loss. */
export function learnedTokens(batch: Batch): number {
  let count = 0;
  for (const weight of batch.feeds.get('weights')!.data) if (weight > 0) count++;
  return count;
}
