/** Shapes of the batches that rows of these lengths are padded to, as the stages form them. */
import { paddedLengths, RowOrder } from '../parts/padded-batches.ts';
import type { RowLength } from './lengths.ts';
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
  rows: readonly RowLength[],
  { batch, runs, seed, context }: TrainingOrder,
): PaddedShape[] {
  const order = new RowOrder(rows.length, seed);
  const seen = Math.min(runs, Math.max(1, Math.floor(MOST_ROWS / batch)));
  const groups = Array.from({ length: seen }, (_, i) =>
    order.take(i * batch, batch).map((row) => rows[row]!),
  );
  return shapesOf(groups, rows, context).map((shape) => ({
    ...shape,
    batches: Math.ceil((shape.batches * runs) / seen),
  }));
}

/** Every row once, those of like length together. */
export function evaluationShapes(rows: readonly RowLength[], batch: number, context: number): PaddedShape[] {
  const byLength = [...rows].sort((a, b) => a.tokens - b.tokens);
  const groups = Array.from({ length: Math.ceil(rows.length / batch) }, (_, i) =>
    byLength.slice(i * batch, (i + 1) * batch),
  );
  return shapesOf(groups, rows, context);
}

function shapesOf(
  groups: readonly (readonly RowLength[])[],
  rows: readonly RowLength[],
  context: number,
): PaddedShape[] {
  const lengths = paddedLengths(
    rows.map(({ tokens }) => tokens),
    context,
  );
  const found = new Map<number, PaddedShape>();
  for (const group of groups) {
    const longest = Math.max(...group.map(({ tokens }) => tokens));
    const length = lengths.find((n) => n >= longest) ?? lengths.at(-1)!;
    const learned = roundUp(
      group.reduce((n, row) => n + row.learned, 0),
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
