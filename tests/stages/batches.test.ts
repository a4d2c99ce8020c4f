/** Windows of text and batches of rows: what is predicted, how often, and with what weight. */
import { expect, test } from 'vitest';
import {
  paddedLengths,
  RowOrder,
  SupervisedBatches,
  sizesOf,
} from '../../src/runtime/stages/parts/padded-batches.ts';
import { evaluationBatches, TrainingWindows, windowsIn } from '../../src/runtime/stages/parts/windows.ts';
import type { Batch } from '../../src/runtime/stages/stage.ts';
import { stored } from './stored.ts';

const data = (batch: Batch, name: string) => [...batch.feeds.get(name)!.data];
const tokens = Int32Array.from({ length: 47 }, (_, i) => 100 + i);

test('an evaluation predicts every token but the first once, from the one before it', () => {
  const seen: number[] = [];
  let weight = 0;
  for (const batch of evaluationBatches(tokens, 8, 4)) {
    const [ids, labels, weights] = ['ids', 'labels', 'weights'].map((name) => data(batch, name));
    weights!.forEach((w, i) => {
      if (w === 0) return;
      expect(labels![i]).toBe(ids![i]! + 1);
      seen.push(labels![i]!);
      weight += w;
    });
  }
  expect(seen).toEqual([...tokens.subarray(1)]);
  expect(weight).toBeCloseTo(1, 6);
});

test('an epoch of training takes every window once; the next one in another order', () => {
  const count = windowsIn(tokens.length, 8);
  expect(count).toBe(5);
  const windows = new TrainingWindows(tokens, 8, 5, 1, 7);
  const epoch = (step: number) => {
    const [batch] = windows.batches(step);
    expect(data(batch!, 'weights').reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    const ids = data(batch!, 'ids');
    expect(data(batch!, 'labels')).toEqual(ids.map((id) => id + 1));
    return ids.filter((_, i) => i % 8 === 0);
  };
  const [first, second] = [epoch(0), epoch(1)];
  expect([...first].sort()).toEqual([100, 108, 116, 124, 132]);
  const shift = Math.min(...second) - 100;
  expect([...second].sort()).toEqual([100, 108, 116, 124, 132].map((start) => start + shift));
  expect(second.map((start) => start - shift)).not.toEqual(first);
  expect(epoch(0)).toEqual(first);
});

test('micro-batches share a step’s windows', () => {
  const ids = (batches: readonly Batch[]) => batches.flatMap((batch) => data(batch, 'ids'));
  const whole = new TrainingWindows(tokens, 8, 4, 1, 7).batches(1);
  const halves = new TrainingWindows(tokens, 8, 2, 2, 7).batches(1);
  expect(ids(halves)).toEqual(ids(whole));
  expect(data(halves[0]!, 'weights')[0]).toBeCloseTo(1 / 32, 8);
});

test('rows are drawn without repetition in every epoch', () => {
  const order = new RowOrder(10, 3);
  const epochs = [0, 10, 20].map((first) => order.take(first, 10));
  for (const epoch of epochs)
    expect([...epoch].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(new RowOrder(10, 3).take(8, 4)).toEqual([...epochs[0]!.slice(8), ...epochs[1]!.slice(0, 2)]);
});

test('few padded lengths, none beyond the context', () => {
  expect(paddedLengths([3, 9, 9, 10, 60], 64)).toEqual([16, 64]);
  expect(paddedLengths([30], 30)).toEqual([30]);
  expect(paddedLengths([20, 20, 21], 64)).toEqual([24]);
});

test('every supervised token of a step weighs the same, and padding nothing', () => {
  const example = (length: number, from: number, start: number) => ({
    ids: Int32Array.from({ length }, (_, i) => start + i),
    supervised: new Uint8Array(length).fill(1, from),
  });
  const examples = [example(5, 3, 100), example(12, 10, 200), example(3, 0, 300)];
  const [batch, ...more] = new SupervisedBatches(stored(examples), 4, 1, 0, 64, 0).evaluation();
  expect(more).toEqual([]);
  const [rows, length, count] = sizesOf(batch!.key);
  expect([rows, length, count]).toEqual([4, 16, 8]);
  const ids = data(batch!, 'ids');
  const learned = data(batch!, 'weights').flatMap((weight, i) => {
    if (weight === 0) return [];
    expect(weight).toBeCloseTo(1 / 6, 7);
    const label = data(batch!, 'labels')[i]!;
    expect(ids[data(batch!, 'rows')[i]!]).toBe(label - 1);
    return [label];
  });
  // The first token of a sequence follows nothing.
  expect(learned.sort()).toEqual([103, 104, 210, 211, 301, 302]);
});
