/** Documents that are not packed: which sequences they make, and what is predicted in them. */
import { expect, test } from 'vitest';
import { documentSequences } from '../../src/runtime/stages/parts/document-sequences.ts';
import { separate, type TokenizedText } from '../../src/runtime/stages/parts/text-course.ts';
import type { Batch } from '../../src/runtime/stages/stage.ts';
import { TINY, workshops } from '../run/workshop.ts';

const END = 9;
const text = { tokens: Int32Array.of(1, 2, 3, END, 4, END, END, 5, 6, 7, 8, 1, 2, 3, END), end: END };
const sequencesOf = (of: TokenizedText, context: number) => {
  const { lengths, read } = documentSequences(of, context);
  return Array.from(lengths, (_, i) => [...read(i).ids]);
};
const sequences = (context: number) => sequencesOf(text, context);

test('a document is a sequence; one that has nothing to predict is none', () => {
  expect(sequences(16)).toEqual([
    [1, 2, 3, END],
    [4, END],
    [5, 6, 7, 8, 1, 2, 3, END],
  ]);
});

test('a document longer than the context goes on with its last token, so that each is predicted once', () => {
  expect(sequences(4)).toEqual([
    [1, 2, 3, END],
    [4, END],
    [5, 6, 7, 8],
    [8, 1, 2, 3],
    [3, END],
  ]);
});

test('a text that does not end with the end token is a document all the same', () => {
  expect(sequencesOf({ tokens: Int32Array.of(1, END, 2, 3), end: END }, 8)).toEqual([
    [1, END],
    [2, 3],
  ]);
});

const predicted = (batches: readonly Batch[]) =>
  batches.flatMap(({ feeds }) => {
    const [ids, rows, labels, weights] = ['ids', 'rows', 'labels', 'weights'].map((n) => feeds.get(n)!.data);
    return [...labels!].flatMap((label, i) => (weights![i]! > 0 ? [[ids![rows![i]!]!, label]] : []));
  });

test('a pass over the text learns every token but the first of each document from the one before it', () => {
  const options = { context: 16, batch: 2, accumulate: 1, seed: 3, epochs: 3, maxSteps: 100 };
  const course = separate.course(text, { ...options, tokens: undefined });
  expect(course.steps).toBe(5); // 3 passes over 3 documents, 2 a step
  expect(course.epochsPerStep).toBeCloseTo(2 / 3, 12);
  const pass = [
    [1, 2],
    [2, 3],
    [3, END],
    [4, END],
    [5, 6],
    [6, 7],
    [7, 8],
    [8, 1],
    [1, 2],
    [2, 3],
    [3, END],
  ];
  const seen = predicted([0, 1, 2, 3, 4].flatMap((step) => course.batches(step)));
  expect(seen.slice(0, 3 * pass.length).sort()).toEqual(
    [...pass, ...pass, ...pass].sort().slice(0, seen.length),
  );
  expect(predicted([...separate.evaluation(text, 16, 2)!.batches()]).sort()).toEqual([...pass].sort());
});

const workshop = workshops();
const documents = 'data notes = jsonl("data/notes.jsonl") → split(test=20%)';

test('evaluation measures text as pretraining without packing does', async () => {
  const shop = workshop(`${documents}
pipeline tiny = pretrain(data=notes packing=false ${TINY} max_steps=3 batch=8)
→ apart: eval(data=notes packing=false) → packed: eval(data=notes)`);
  const said = await shop.run();
  const { eval_loss: loss } = said.finished('pretrain').metrics;
  expect(said.finished('apart').metrics.loss).toBeCloseTo(loss!, 5);
  expect(Math.abs(said.finished('packed').metrics.loss! - loss!)).toBeGreaterThan(1e-3);
  expect(said.series('pretrain', 'num_tokens')[2]).toBeLessThan(3 * 8 * 32);
});
