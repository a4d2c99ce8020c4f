/** Sequences of different lengths as batches of a few static shapes, padded on the right. */
import { random } from '../../random/random.ts';
import type { Batch } from '../stage.ts';
import type { Example } from './examples.ts';
import type { LanguageModelSpec } from './language-model-program.ts';

/** Most shapes a stage compiles: each costs a session and its packed weights. */
const LARGEST_SHAPES = 3;
const ROUND = 8;
const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** A sequence and which of its tokens are learned. */
export type MarkedSequence = Pick<Example, 'ids' | 'supervised'>;

/** A batch with the sequences that its first rows are, padded; a row after them holds nothing. */
export interface SequenceBatch extends Batch {
  readonly sequences: readonly Int32Array[];
}

/** Lengths to pad to: the longest, and quantiles where they save at least a quarter. */
export function paddedLengths(lengths: readonly number[], context: number): number[] {
  const sorted = [...lengths].sort((a, b) => a - b);
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

interface Group {
  readonly examples: readonly MarkedSequence[];
  readonly length: number;
  readonly learned: number;
}

const learnedIn = (example: MarkedSequence) =>
  example.supervised.reduce((n, bit, i) => n + (i > 0 ? bit : 0), 0);

/**
 * Batches for the language-model program: `ids` (B, T), `rows`, `labels`, `weights` (N). T is one of a few padded
 * lengths and N, the number of positions with loss, the most that any batch of that length has: every shape is known
 * before the first step. Weights are 1 / supervised tokens of the whole step.
 */
export class SupervisedBatches {
  readonly lengths: readonly number[];
  private readonly learnedByLength = new Map<number, number>();
  private readonly order: RowOrder;

  constructor(
    private readonly examples: readonly MarkedSequence[],
    private readonly size: number,
    private readonly accumulate: number,
    steps: number,
    context: number,
    seed: number,
  ) {
    this.lengths = paddedLengths(
      examples.map((e) => e.ids.length),
      context,
    );
    this.order = new RowOrder(examples.length, seed);
    for (let step = 0; step < steps; step++) for (const group of this.groups(step)) this.note(group);
  }

  private note({ length, learned }: Group): void {
    this.learnedByLength.set(
      length,
      Math.max(this.learnedByLength.get(length) ?? 0, roundUp(learned, ROUND)),
    );
  }

  private group(examples: readonly MarkedSequence[]): Group {
    const longest = Math.max(...examples.map((e) => e.ids.length));
    return {
      examples,
      length: this.lengths.find((n) => n >= longest)!,
      learned: examples.reduce((n, e) => n + learnedIn(e), 0),
    };
  }

  private groups(step: number): Group[] {
    const first = step * this.accumulate * this.size;
    return Array.from({ length: this.accumulate }, (_, micro) =>
      this.group(this.order.take(first + micro * this.size, this.size).map((i) => this.examples[i]!)),
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
      .flatMap((group) => group.examples)
      .reduce((n, example) => n + example.ids.length, 0);
  }

  /** Every example once, in order; the last batch is filled with empty rows. */
  evaluation(): SequenceBatch[] {
    const groups: Group[] = [];
    const byLength = [...this.examples].sort((a, b) => a.ids.length - b.ids.length);
    for (let i = 0; i < byLength.length; i += this.size)
      groups.push(this.group(byLength.slice(i, i + this.size)));
    for (const group of groups) this.note(group);
    const learned = groups.reduce((n, g) => n + g.learned, 0);
    return groups.map((g) => this.batch(g, 1 / learned));
  }

  private batch({ examples, length }: Group, weight: number): SequenceBatch {
    const count = this.learnedByLength.get(length)!;
    const ids = new Int32Array(this.size * length);
    const rows = new Int32Array(count);
    const labels = new Int32Array(count);
    const weights = new Float32Array(count);
    let n = 0;
    examples.forEach((example, row) => {
      ids.set(example.ids, row * length);
      for (let t = 1; t < example.ids.length; t++) {
        if (!example.supervised[t]) continue;
        rows[n] = row * length + t - 1;
        labels[n] = example.ids[t]!;
        weights[n++] = weight;
      }
    });
    return {
      sequences: examples.map(({ ids }) => ids),
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
