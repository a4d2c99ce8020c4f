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
const cases = {
  'llama, the last block': ['llama', 'freeze layers=1'],
  'llama, the head alone': ['llama', 'freeze layers=0 parts=norms,head'],
  'llama, in codes': ['llama', 'qlora r=2 layers=1'],
  'gpt2, adapters of the last two': ['gpt2', 'lora r=2 targets=all layers=2 dropout=0.1'],
} as const;

const text = ([model, method]: readonly [string, string], options = 'epochs=3') =>
  `${pretrain(model)} → sft(${method}; batch=8 lr=0.02 ${options})`;
const losses = (said: Said) => said.series('sft', 'loss');
const told = (said: Said) =>
  said.of('message', 'sft').flatMap((e) => (e.text.includes('frozen') ? [e.text] : []));

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

describe.each(Object.keys(cases) as (keyof typeof cases)[])('%s', (name) => {
  test('losses and evaluations as with the whole program', async () => {
    const [cut, whole] = [await workshop(text(cases[name])).run(), await uncut(text(cases[name]))];
    expect([told(cut).length, told(whole).length]).toEqual([1, 0]);
    expect(losses(cut).at(-1)).toBeLessThan(losses(cut)[0]!);
    expectClose(losses(cut), losses(whole), { absolute: 1e-5 });
    const { initial_eval_loss, eval_loss } = whole.finished('sft').metrics;
    const metrics = cut.finished('sft').metrics;
    expectClose([metrics.initial_eval_loss!, metrics.eval_loss!], [initial_eval_loss!, eval_loss!], {
      absolute: 1e-5,
    });
  });
});

test('stopped and resumed, it ends with the same bytes', async () => {
  const pipeline = text(cases['gpt2, adapters of the last two']);
  const whole = await workshop(pipeline).run();
  const shop = workshop(pipeline);
  const first = await shop.run({ stopAfter: atStep('sft', 5) });
  expect(first.end.status).toBe('stopped');
  const second = await shop.run();
  expect([...losses(first), ...losses(second)]).toEqual(losses(whole));
  expect(second.artifacts['sft.policy']).toBe(whole.artifacts['sft.policy']);
  expect(readdirSync(join(shop.store, 'work'))).toEqual([]);
});

test('the frozen blocks come first; neither steps nor evaluations read them', async () => {
  const { said, loaded } = await runStage(workshop(text(cases['llama, the last block'])), 'sft');
  const blocksOf = (program: (typeof loaded)[number]['program']) => {
    const names = parametersOf(program).map((node) => node.attributes.name);
    return [...new Set(names.flatMap((one) => /layers\.(\d)/.exec(one)?.[1] ?? []))].sort().join();
  };
  const [prefixes, rest] = [
    loaded.filter(({ program }) => program.outputs.has('prefix')),
    loaded.filter(({ program }) => !program.outputs.has('prefix')),
  ];
  expect(prefixes.map(({ program }) => blocksOf(program))).toEqual(prefixes.map(() => '0,1'));
  expect(rest.map(({ program }) => blocksOf(program))).toEqual(rest.map(() => '2'));
  expect(prefixes.length).toBeGreaterThan(0);
  // Of each shape a program that trains, and one that measures.
  expect(rest.map(({ program }) => program.outputs.size > 3).sort()).toEqual([false, true]);
  expect(loaded.indexOf(rest[0]!)).toBe(prefixes.length);
  expect(loaded.every(({ disposed }) => disposed)).toBe(true);
  expect(told(said)[0]).toMatch(
    /^rows pass the 2 frozen blocks once: \d+ rows, [\d.]+ [kK]i?B kept in memory$/,
  );
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
