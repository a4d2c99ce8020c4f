/** Frozen blocks are computed once for every row: the same losses, less work, and no trace left. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parametersOf } from '../../src/runtime/programs/program.ts';
import { expectClose } from '../reference/close.ts';
import { atStep, type Said, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';

const workshop = workshops();
const pretrain = (model: string) =>
  `pretrain(model=${model}(layers=3 width=32 heads=2 context=48 ${model === 'llama' ? 'tied=false' : ''}) vocabulary=300 max_steps=3)`;
type Case = readonly [model: string, method: string, stage?: Stage];
type Stage = 'sft' | 'rm' | 'more';
const cases: Readonly<Record<string, Case>> = {
  'llama, the last block': ['llama', 'freeze layers=1'],
  'llama, the head alone': ['llama', 'freeze layers=0 parts=norms,head'],
  'llama, in codes': ['llama', 'qlora r=2 layers=1'],
  'gpt2, adapters of the last two': ['gpt2', 'lora r=2 targets=all layers=2 dropout=0.1'],
  'rewards, llama, the last block': ['llama', 'freeze layers=1', 'rm'],
  'rewards, gpt2, adapters of the last two': ['gpt2', 'lora r=2 targets=all layers=2 dropout=0.1', 'rm'],
  'documents, llama, the last block': ['llama', 'freeze layers=1', 'more'],
  'documents, gpt2, adapters of the last two': ['gpt2', 'lora r=2 targets=all layers=2 dropout=0.1', 'more'],
};

const stages: Readonly<Record<Stage, { readonly call: string; readonly data: string }>> = {
  sft: { call: 'sft', data: 'sft' },
  rm: { call: 'rm', data: 'rm' },
  more: { call: 'more: pretrain', data: 'notes' },
};

const text = ([model, method, stage = 'sft']: Case, options = 'epochs=3') => `
data rows = jsonl("data/${stages[stage].data}.jsonl") → split(test=20%)
${pretrain(model)} → ${stages[stage].call}(${method}; data=rows batch=8 lr=0.02 ${stage === 'more' ? 'packing=false ' : ''}${options})`;
const losses = (said: Said, stage = 'sft') => said.series(stage, 'loss');
const told = (said: Said, stage = 'sft') =>
  said.of('message', stage).flatMap((e) => (e.text.includes('frozen') ? [e.text] : []));
/** Of the evaluations before and after training. */
const measured = (said: Said, stage: string) =>
  Object.entries(said.finished(stage).metrics).filter(([name]) => name.includes('eval_'));

/** The same run with every block computed at every step. */
async function uncut(pipeline: string): Promise<Said> {
  vi.resetModules();
  vi.doMock('../../src/runtime/rewrites/cut-prefix.ts', async (original) => ({
    ...(await original<object>()),
    frozenEdge: () => 0,
  }));
  const other = await import('../run/workshop.ts');
  return other.workshops()(pipeline).run();
}
afterEach(() => {
  vi.doUnmock('../../src/runtime/rewrites/cut-prefix.ts');
  vi.resetModules();
});

describe.each(Object.entries(cases))('%s', (_, one) => {
  const stage = one[2] ?? 'sft';
  test('losses and evaluations as with the whole program', async () => {
    const [cut, whole] = [await workshop(text(one)).run(), await uncut(text(one))];
    expect([told(cut, stage).length, told(whole, stage).length]).toEqual([1, 0]);
    expect(losses(cut, stage).at(-1)).toBeLessThan(losses(cut, stage)[0]!);
    expectClose(losses(cut, stage), losses(whole, stage), { absolute: 1e-5 });
    // Rewards: their smallest and largest among them, over every held-out batch.
    expect(measured(cut, stage).map(([name]) => name)).toEqual(measured(whole, stage).map(([name]) => name));
    const values = (said: Said) => measured(said, stage).map(([, value]) => value);
    expect(values(cut).length).toBeGreaterThanOrEqual(4);
    expectClose(values(cut), values(whole), { absolute: 1e-5, relative: 1e-5 });
  });
});

test.each([
  ['sft', 'gpt2, adapters of the last two', 'policy'],
  ['rm', 'rewards, gpt2, adapters of the last two', 'reward'],
  ['more', 'documents, gpt2, adapters of the last two', 'policy'],
])('%s stopped and resumed, it ends with the same bytes', async (stage, name, slot) => {
  const pipeline = text(cases[name]!);
  const whole = await workshop(pipeline).run();
  const shop = workshop(pipeline);
  const first = await shop.run({ stopAfter: atStep(stage, 5) });
  expect(first.end.status).toBe('stopped');
  const second = await shop.run();
  expect([...losses(first, stage), ...losses(second, stage)]).toEqual(losses(whole, stage));
  expect(second.artifacts[`${stage}.${slot}`]).toBe(whole.artifacts[`${stage}.${slot}`]);
  expect(readdirSync(join(shop.store, 'work'))).toEqual([]);
});

test.each([
  ['sft', 'llama, the last block'],
  ['rm', 'rewards, llama, the last block'],
  ['more', 'documents, llama, the last block'],
])('%s: the frozen blocks come first; neither steps nor evaluations read them', async (stage, name) => {
  const { said, loaded } = await runStage(workshop(text(cases[name]!)), stage);
  const blocksOf = (program: (typeof loaded)[number]['program']) => {
    const names = parametersOf(program).map((node) => node.attributes.name);
    return [...new Set(names.flatMap((one) => /layers\.(\d)/.exec(one)?.[1] ?? []))].sort().join();
  };
  const [prefixes, rest] = [
    loaded.filter(({ program }) => program.outputs.has('prefix')),
    loaded.filter(({ program }) => program.outputs.has('loss')),
  ];
  expect(prefixes.map(({ program }) => blocksOf(program))).toEqual(prefixes.map(() => '0,1'));
  expect(rest.map(({ program }) => blocksOf(program))).toEqual(rest.map(() => '2'));
  expect(prefixes.length).toBeGreaterThan(0);
  // Programs that train, and one that measures.
  const trains = ({ program }: (typeof rest)[number]) =>
    [...program.outputs.keys()].some((output) => output.startsWith('grad:'));
  expect(rest.map(trains).filter((one) => !one)).toEqual([false]);
  expect(rest.some(trains)).toBe(true);
  expect(loaded.indexOf(rest[0]!)).toBe(prefixes.length);
  expect(loaded.every(({ disposed }) => disposed)).toBe(true);
  expect(told(said, stage)[0]).toMatch(
    /^rows pass the 2 frozen blocks once: \d+ rows, [\d.]+ [kK]i?B kept in memory$/,
  );
});

test('packed text: windows lie elsewhere in every epoch, and nothing is kept', async () => {
  const pipeline = text(cases['documents, llama, the last block']!).replace('packing=false ', '');
  const { said, loaded } = await runStage(workshop(pipeline), 'more');
  expect(told(said, 'more')).toEqual([]);
  expect(loaded.some(({ program }) => program.outputs.has('prefix'))).toBe(false);
});

test('the plan of documents knows it: the frozen blocks once, and what is kept of every row', async () => {
  const once = (await workshop(text(cases['documents, llama, the last block']!)).plan()).stages[1]!;
  const every = (await workshop(text(cases['documents, llama, the last block']!, 'epochs=1')).plan())
    .stages[1]!;
  const notes = (stage: typeof once) => stage.notes.filter((note) => note.includes('frozen'));
  expect(notes(once)).toEqual([
    expect.stringMatching(/^rows pass the 2 frozen blocks once, not every epoch: .* are kept for it$/),
  ]);
  expect(notes(every)).toEqual([]);
  const kept = once.memory!.parts.find(({ name }) => name === 'frozen blocks')!;
  // 24 documents of tokens of 32 numbers.
  expect(kept.bytes % (4 * 32)).toBe(0);
  expect(kept.bytes).toBeGreaterThan(24 * 4 * 4 * 32);
});

test.each([
  ['rows are seen once', 'freeze layers=1', 'epochs=1'],
  ['the first block is trained', 'freeze layers=-1', 'epochs=3'],
  ['an adapter stands in every block', 'lora r=2', 'epochs=3'],
  ['the embedding is trained', 'freeze layers=1 parts=norms,embeddings', 'epochs=3'],
])('nothing is kept where %s', async (_, method, options) => {
  const { said, loaded } = await runStage(workshop(text(['llama', method], options)), 'sft');
  expect(told(said)).toEqual([]);
  expect(loaded.some(({ program }) => program.outputs.has('prefix'))).toBe(false);
});
