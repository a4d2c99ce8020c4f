/** Preference pairs as batches of sequences. */
import type { Row } from '../../data/row.ts';
import type { Preference } from '../../data/shapes.ts';
import { encodeChat } from '../../tokenizers/chat-template.ts';
import { encodeAnswered } from '../../tokenizers/encode-answered.ts';
import type { Policy } from '../stage.ts';
import { StageError } from '../stage.ts';
import type { Account, Overlong } from './examples.ts';
import { byLength, paddedLengths, RowOrder, type SequenceBatch } from './padded-batches.ts';
import { joined } from './sequences.ts';
import type { StoredPairs } from './stored-pairs.ts';

export interface Pair {
  readonly chosen: Int32Array;
  readonly rejected: Int32Array;
  readonly margin: number;
}

/**
 * Both answers of a row as whole sequences that end with the end token; undefined where it is dropped, or is too long where
 * that is an error: then the account has it. Errors: StageError (`no-supervised-token`, `missing-field`).
 */
export function encodePair(
  row: Row,
  preference: Preference,
  { tokenizer, template }: Policy,
  context: number,
  overlong: Overlong,
  account: Account,
  useMargin: boolean,
): Pair | undefined {
  const sequence = (side: 'chosen' | 'rejected'): Int32Array => {
    if (preference.kind === 'chat')
      return encodeChat(tokenizer, template, [...preference.prompt, ...preference[side]]).ids;
    const [prompt, answer] = encodeAnswered(tokenizer, preference.prompt, preference[side]);
    return joined(prompt, answer, Int32Array.of(tokenizer.eos));
  };
  account.rows++;
  const sides = [sequence('chosen'), sequence('rejected')];
  const longest = Math.max(...sides.map((s) => s.length));
  const place = { file: row.file, line: row.line };
  if (longest > context) {
    if (overlong === 'error') {
      account.overlong.add(row, longest, {
        message: `an answer of the pair has ${longest} tokens with its prompt, the context holds ${context}`,
        option: 'overlong',
        help: ['leave such pairs out with `overlong=drop`, or cut their answers with `overlong=truncate`'],
      });
      return undefined;
    }
    if (overlong === 'drop') {
      account.dropped++;
      return undefined;
    }
    account.truncated++;
  }
  const [chosen, rejected] = sides.map((s) => s.slice(0, context));
  if (longest > context && String(chosen) === String(rejected))
    throw new StageError('no-supervised-token', 'cut to the context, both answers of the pair are the same', {
      ...place,
      option: 'data',
      help: ['drop such pairs with `overlong=drop`, or shorten the prompt'],
    });
  account.tokens += chosen!.length + rejected!.length;
  if (useMargin && typeof preference.margin !== 'number')
    throw new StageError('missing-field', 'the row has no number `margin`', { ...place, option: 'margin' });
  return { chosen: chosen!, rejected: rejected!, margin: useMargin ? preference.margin! : 0 };
}

/** `ids` (2B, T): B chosen, then B rejected; `last` (2B); `weights` and `margin` (B). Pairs that are missing are the first again. */
export class PairBatches {
  readonly lengths: readonly number[];
  private readonly order: RowOrder;
  /** Tokens of the longer answer of each. */
  private readonly longest: Int32Array;

  constructor(
    private readonly pairs: StoredPairs,
    private readonly size: number,
    private readonly accumulate: number,
    context: number,
    seed: number,
  ) {
    this.longest = pairs.longest();
    this.lengths = paddedLengths(this.longest, context);
    this.order = new RowOrder(pairs.count, seed);
  }

  batches(step: number): SequenceBatch[] {
    return Array.from({ length: this.accumulate }, (_, micro) => {
      const first = (step * this.accumulate + micro) * this.size;
      return this.batch(this.order.take(first, this.size), 1 / (this.size * this.accumulate));
    });
  }

  /** Every pair once, the short ones first. */
  *evaluation(): Generator<SequenceBatch> {
    const order = byLength(this.longest);
    for (let first = 0; first < order.length; first += this.size)
      yield this.batch([...order.subarray(first, first + this.size)], 1 / order.length);
  }

  private batch(numbers: readonly number[], weight: number): SequenceBatch {
    const longest = Math.max(...numbers.map((i) => this.longest[i]!));
    const length = this.lengths.find((n) => n >= longest)!;
    const ids = new Int32Array(2 * this.size * length);
    const last = new Int32Array(2 * this.size);
    const weights = new Float32Array(this.size);
    const margin = new Float32Array(this.size);
    const answers: number[] = [];
    for (let row = 0; row < this.size; row++) {
      const number = numbers[row];
      const pair = this.pairs.read(number ?? numbers[0]!);
      for (const [offset, side, answer] of [
        [0, pair.chosen, 0],
        [this.size, pair.rejected, 1],
      ] as const) {
        answers[offset + row] = 2 * (number ?? numbers[0]!) + answer;
        ids.set(side, (offset + row) * length);
        last[offset + row] = (offset + row) * length + side.length - 1;
      }
      weights[row] = number === undefined ? 0 : weight;
      margin[row] = number === undefined ? 0 : pair.margin;
    }
    return {
      sequences: answers.map((number) => ({ among: this.pairs.answers, number })),
      key: `${this.size}x${length}`,
      feeds: new Map([
        ['ids', { dtype: 'i32', shape: [2 * this.size, length], data: ids }],
        ['last', { dtype: 'i32', shape: [2 * this.size], data: last }],
        ['weights', { dtype: 'f32', shape: [this.size], data: weights }],
        ['margin', { dtype: 'f32', shape: [this.size], data: margin }],
      ]),
    };
  }
}
