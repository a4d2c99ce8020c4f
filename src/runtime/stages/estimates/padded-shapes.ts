/** Shapes of the batches that rows of these lengths are padded to, as the stages form them. */
import { byLength, paddedLengths, RowOrder } from '../parts/padded-batches.ts';
import type { RowLengths } from './row-lengths.ts';
import { roundUp } from './sizes.ts';

/** Batches of one shape: a program of its own. */
export interface PaddedShape {
  /** Tokens of a row. */
  readonly length: number;
  /** Most tokens with loss in any batch. */
  readonly learned: number;
  readonly batches: number;
}

/** More rows than these are not looked at one by one: what they show is taken for all. */
const MOST_ROWS = 200_000;

export interface TrainingOrder {
  readonly batch: number;
  /** Batches in all. */
  readonly runs: number;
  readonly seed: number;
  /** Longest row. */
  readonly context: number;
}

/** In the order of training: rows are drawn as the stage draws them. Shapes that do not occur are left out. */
export function trainingShapes(
  rows: RowLengths,
  { batch, runs, seed, context }: TrainingOrder,
): PaddedShape[] {
  const order = new RowOrder(rows.count, seed);
  const seen = Math.min(runs, Math.max(1, Math.floor(MOST_ROWS / batch)));
  const groups = Array.from({ length: seen }, (_, i) => order.take(i * batch, batch));
  return shapesOf(groups, rows, context).map((shape) => ({
    ...shape,
    batches: Math.ceil((shape.batches * runs) / seen),
  }));
}

/** Every row once, those of like length together. */
export function evaluationShapes(rows: RowLengths, batch: number, context: number): PaddedShape[] {
  const order = byLength(rows.tokens);
  const groups = Array.from({ length: Math.ceil(rows.count / batch) }, (_, i) =>
    order.subarray(i * batch, (i + 1) * batch),
  );
  return shapesOf(groups, rows, context);
}

function shapesOf(
  groups: readonly Iterable<number>[],
  { tokens, learned: learnedOf }: RowLengths,
  context: number,
): PaddedShape[] {
  const lengths = paddedLengths(tokens, context);
  const found = new Map<number, PaddedShape>();
  for (const group of groups) {
    const rows = [...group];
    const longest = Math.max(...rows.map((row) => tokens[row]!));
    const length = lengths.find((n) => n >= longest) ?? lengths.at(-1)!;
    const learned = roundUp(
      rows.reduce((n, row) => n + learnedOf[row]!, 0),
      8,
    );
    const before = found.get(length) ?? { length, learned: 0, batches: 0 };
    found.set(length, {
      length,
      learned: Math.max(before.learned, learned),
      batches: before.batches + 1,
    });
  }
  return [...found.values()].sort((a, b) => b.length - a.length);
}
