/** Rows and text whose tokens do not stay in memory: the same batches, losses and artifacts, and no trace left. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lines, preferenceRows, sftRows, tinyData } from '../run/tiny-data.ts';
import { TINY, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';

const workshop = workshops();
const many = <T>(rows: readonly T[]): readonly T[] => Array.from({ length: 6 }, () => rows).flat();
const data = {
  ...tinyData,
  'data/sft.jsonl': lines(many(sftRows)),
  'data/rm.jsonl': lines(many(preferenceRows)),
  'data/notes.jsonl': lines(
    many(sftRows).map((_, i) => ({ text: `Note ${i}: the hen number ${i % 7} eats corn.` })),
  ),
};
const before = `
data rows = jsonl("data/sft.jsonl") → split(test=20%)
data pairs = jsonl("data/rm.jsonl") → split(test=20%)
data notes = jsonl("data/notes.jsonl") → split(test=20%)
pretrain(data=notes ${TINY.replace('context=32', 'context=48 tied=false')} max_steps=3 batch=4) → `;

test.each([
  ['pretrain', 'more: pretrain(data=notes max_steps=3 batch=4)', 'more'],
  ['pretrain without packing', 'more: pretrain(data=notes packing=false max_steps=3 batch=4)', 'more'],
  ['sft', 'sft(data=rows lora r=2; max_steps=3 batch=4 accumulate=2)', 'sft'],
  [
    'sft above frozen blocks',
    'sft(data=rows freeze layers=0 parts=norms,head; max_steps=40 batch=4 eval_every=20)',
    'sft',
  ],
  ['rm', 'rm(data=pairs lora r=2; max_steps=3 batch=4)', 'rm'],
])('%s from a file is as from memory', async (_, stage, name) => {
  const [memory, file] = [
    await runStage(workshop(before + stage, data), name),
    await runStage(workshop(before + stage, data), name, { mostBytesInMemory: 500 }),
  ];
  const series = ({ said }: typeof memory) =>
    ['loss', 'grad_norm'].map((metric) => said.series(name, metric));
  expect(series(file)).toEqual(series(memory));
  expect(file.said.of('evaluated')).toEqual(memory.said.of('evaluated'));
  expect(file.said.of('message')).toEqual(memory.said.of('message'));
  expect([...file.saved!.trainable.values()]).toEqual([...memory.saved!.trainable.values()]);
  expect([memory.files, file.files]).toEqual([[], expect.arrayContaining(['tokens-0.ids'])]);
  expect(readdirSync(file.work)).toEqual([]);
});
