/** Rows and text whose tokens do not stay in memory: the same batches, losses and artifacts, and no trace left. */
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestData } from '../../src/runtime/data/digest-data.ts';
import { data as dataOf } from '../data/files.ts';
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

test('stopped in the middle, it goes on with the same batches', async () => {
  const text = `${before}sft(data=rows lora r=2; max_steps=6 batch=4)`;
  const whole = await runStage(workshop(text, data), 'sft');
  const shop = workshop(text, data);
  let asked = 0;
  const stopped = runStage(shop, 'sft', { mostBytesInMemory: 500, stopping: () => ++asked > 3 });
  await expect(stopped).rejects.toThrow('stopped at step 3 of 6');
  const rest = await runStage(shop, 'sft', { mostBytesInMemory: 500 });
  expect(rest.said.series('sft', 'loss')).toEqual(whole.said.series('sft', 'loss').slice(3));
  expect([...rest.saved!.trainable.values()]).toEqual([...whole.saved!.trainable.values()]);
});

test('a file that changes while it is read is named', async () => {
  const shop = workshop(`${before}sft(data=rows lora r=2; max_steps=1 batch=4)`, data);
  const expression = dataOf('jsonl', { path: 'data/sft.jsonl' }, [['split', { test: 0.2 }]]);
  const { sha256 } = await digestData(expression, shop.directory);
  await runStage(shop, 'sft', { digests: { data: sha256 } });
  shop.write('data/sft.jsonl', lines(sftRows));
  const run = runStage(shop, 'sft', { digests: { data: sha256 } });
  await expect(run).rejects.toMatchObject({
    kind: 'stale-plan',
    message: `${join(shop.directory, 'data/sft.jsonl')} was changed while it was read`,
  });
});

test.each(['', 'limit=40'])(
  'eval(%s) of a file that changes between its passes is no result',
  async (limit) => {
    const shop = workshop(
      `data rows = jsonl("data/sft.jsonl")
pretrain(${TINY.replace('context=32', 'context=48')} max_steps=2 batch=4) → eval(data=rows max_new_tokens=2 split=all batch=8 ${limit})`,
      data,
    );
    const { sha256 } = await digestData(dataOf('jsonl', { path: 'data/sft.jsonl' }), shop.directory);
    let asked = 0;
    const run = runStage(shop, 'eval', {
      digests: { data: sha256 },
      stopping() {
        if (asked++ === 0) shop.write('data/sft.jsonl', lines(many(sftRows.toReversed())));
        return false;
      },
    });
    await expect(run).rejects.toThrow('was changed while it was read');
  },
);

const packed = {
  'rows.jsonl.gz': (root: string) =>
    writeFileSync(join(root, 'rows.jsonl.gz'), gzipSync(lines(many(sftRows)))),
  'chats.parquet': (root: string) =>
    copyFileSync(
      new URL('../reference/data/chats-zstd.parquet', import.meta.url),
      join(root, 'chats.parquet'),
    ),
};

test.each(Object.entries(packed))('rows of %s are read once, and again as tokens', async (name, write) => {
  const run = async (settings = {}) => {
    const shop = workshop(
      `${before.replace('context=48', 'context=512')}sft(data=files("${name}") → split(test=0) lora r=2; max_steps=3 batch=4)`,
      data,
    );
    write(shop.directory);
    return runStage(shop, 'sft', settings);
  };
  const [memory, file] = [await run(), await run({ mostBytesInMemory: 500 })];
  expect(file.said.series('sft', 'loss')).toEqual(memory.said.series('sft', 'loss'));
  expect(file.said.series('sft', 'loss').length).toBe(3);
  expect(file.files).toEqual(['tokens-0.ids']);
});

test('an evaluation reads its rows as it needs them', async () => {
  const run = async (rows: string, settings = {}) =>
    (
      await runStage(
        workshop(
          `${before}eval(data=${rows} max_new_tokens=4 split=all samples=2 batch=5 ${rows === 'notes' ? 'limit=41' : ''})`,
          data,
        ),
        'eval',
        settings,
      )
    ).said;
  for (const rows of ['rows', 'notes']) {
    const [memory, file] = [await run(rows), await run(rows, { mostBytesInMemory: 500 })];
    expect(file.of('samples')).toEqual(memory.of('samples'));
    expect(file.of('message')).toEqual(memory.of('message'));
  }
});
