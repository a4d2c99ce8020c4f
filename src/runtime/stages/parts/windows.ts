/** A long stream of tokens cut into training windows. */
import { random } from '../../random/random.ts';
import type { Batch } from '../stage.ts';
import type { Tokens } from '../tokens.ts';

/** How many windows of `length` predictions a stream gives in one pass. */
export const windowsIn = (tokens: number, length: number): number =>
  Math.max(1, Math.floor((tokens - 1) / length));

/**
 * Batch `step` of shuffled windows: `rows` sequences of `length` tokens, labels the tokens after them, every position
 * weighted alike. Each epoch shifts the window borders and shuffles anew; a function of (seed, step) alone.
 */
export class TrainingWindows {
  private epoch = -1;
  private order: Int32Array = new Int32Array();
  private shift = 0;

  constructor(
    private readonly tokens: Tokens,
    private readonly length: number,
    private readonly rows: number,
    private readonly accumulate: number,
    private readonly seed: number,
  ) {}

  private start(number: number): number {
    const count = windowsIn(this.tokens.length, this.length);
    const epoch = Math.floor(number / count);
    if (epoch !== this.epoch) {
      const stream = random(this.seed, 'windows', epoch);
      const slack = this.tokens.length - 1 - count * this.length;
      this.shift = epoch === 0 || slack <= 0 ? 0 : stream.integer(slack + 1);
      this.order = stream.permutation(count);
      this.epoch = epoch;
    }
    return this.shift + this.order[number % count]! * this.length;
  }

  batches(step: number): Batch[] {
    return Array.from({ length: this.accumulate }, (_, micro) => {
      const first = (step * this.accumulate + micro) * this.rows;
      const starts = Array.from({ length: this.rows }, (_, row) => this.start(first + row));
      return windowBatch(this.tokens, starts, this.length, 1 / (this.accumulate * this.rows * this.length));
    });
  }
}

/** Every token of a stream but the first, each predicted once, in batches of `rows` windows. */
export function* evaluationBatches(tokens: Tokens, length: number, rows: number): Generator<Batch> {
  const windows = Math.ceil((tokens.length - 1) / length);
  const weight = 1 / (tokens.length - 1);
  for (let first = 0; first < windows; first += rows) {
    // A window after the last is empty: weight 0 everywhere.
    const start = (row: number) => (first + row < windows ? (first + row) * length : tokens.length);
    yield windowBatch(
      tokens,
      Array.from({ length: rows }, (_, row) => start(row)),
      length,
      weight,
    );
  }
}

function windowBatch(tokens: Tokens, starts: readonly number[], length: number, weight: number): Batch {
  const rows = starts.length;
  const ids = new Int32Array(rows * length);
  const labels = new Int32Array(rows * length);
  const weights = new Float32Array(rows * length);
  starts.forEach((start, row) => {
    const here = Math.max(0, Math.min(length, tokens.length - 1 - start));
    const seen = tokens.subarray(start, start + here + 1);
    ids.set(seen.subarray(0, here), row * length);
    labels.set(seen.subarray(1), row * length);
    weights.fill(weight, row * length, row * length + here);
  });
  const flat = [rows * length];
  return {
    key: `${rows}x${length}`,
    feeds: new Map([
      ['ids', { dtype: 'i32', shape: [rows, length], data: ids }],
      ['labels', { dtype: 'i32', shape: flat, data: labels }],
      ['weights', { dtype: 'f32', shape: flat, data: weights }],
    ]),
  };
}
