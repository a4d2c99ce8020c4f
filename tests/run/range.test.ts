/** `--only`, `--from`, `--until`; gates. */
import { beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../src/runtime/run/plan-types.ts';
import { atStep, TINY, type Workshop, workshops } from './workshop.ts';

const workshop = workshops();
const text = (gate = 'quick.loss <= 100') => `
data rows = jsonl("data/sft.jsonl") → split(test=20%)
pipeline tiny =
pretrain(${TINY} max_steps=1)
→ sft(data=rows lora r=2; max_steps=1 batch=4)
→ quick: eval(data=rows generate=false)
→ gate(${gate})
→ rm(lora r=2; max_steps=1 batch=4)
→ judged: eval(data=rows generate=false limit=2)
→ ppo(lora r=2; steps=1 batch=2 minibatch=2 max_new_tokens=3)`;

const lines = ({ stages }: Plan) => stages.map(({ id, action, reason }) => `${id} ${action}: ${reason}`);

let shop: Workshop;
beforeAll(() => {
  shop = workshop(text());
});

test('--until runs to the stage and no further', async () => {
  const said = await shop.run({ until: 'sft' });
  expect(said.end.status).toBe('ok');
  expect(said.computed).toEqual(['pretrain', 'sft']);
});

test('--only runs the stage alone, from results that are there', async () => {
  const said = await shop.run({ only: 'quick' });
  expect(said.of('stage_started').map((e) => [e.stage, e.action])).toEqual([
    ['pretrain', 'cached'],
    ['sft', 'cached'],
    ['quick', 'run'],
  ]);
});

test('--from needs what it reads and the gates before it', async () => {
  const plan = await shop.plan(shop.store, { from: 'rm', until: 'judged' });
  expect(plan.diagnostics).toMatchObject([
    { code: 'FTP6008', stage: 'rm', message: '`rm` needs `gate`, which has no result yet' },
  ]);
  expect(lines(plan).slice(-2)).toEqual(['rm blocked: waits for `gate`', 'judged blocked: waits for `gate`']);
});

test('--from runs stages again that have results, and a run that is stopped goes on with them', async () => {
  const range = { from: 'sft', until: 'quick' };
  const plan = await shop.plan(shop.store, range);
  expect(plan.totals.stages_to_run).toBe(2);
  expect(lines(plan)).toEqual([
    'pretrain cached: unchanged',
    'sft run: asked for by `--from`',
    'quick run: asked for by `--from`',
  ]);
  const before = (await shop.run({ until: 'quick' })).artifacts;
  const stopped = await shop.run({ ...range, stopAfter: atStep('sft', 1) });
  expect(stopped.end.status).toBe('stopped');
  expect(stopped.computed).toEqual(['sft']);
  const rest = await shop.run({ until: 'quick' });
  expect(rest.computed).toContain('quick');
  expect(rest.artifacts).toEqual(before);
  expect((await shop.run({ until: 'quick' })).computed).toEqual([]);
});

test('--only runs the stage again, and nothing behind it', async () => {
  const said = await shop.run({ only: 'sft' });
  expect(said.computed).toEqual(['sft']);
  expect(lines(await shop.plan(shop.store, { until: 'quick' })).slice(1)).toEqual([
    'sft cached: unchanged',
    'quick cached: unchanged',
  ]);
});

test('--from with --until; evaluations that nothing reads may be missing before the range', async () => {
  expect((await shop.run({ from: 'gate', until: 'rm' })).computed).toEqual(['gate', 'rm']);
  const said = await shop.run({ from: 'ppo' });
  expect(said.end.status).toBe('ok');
  expect(said.computed).toEqual(['ppo']);
  expect((await shop.plan(shop.store, { until: 'sft' })).stages.map(({ id }) => id)).toEqual([
    'pretrain',
    'sft',
  ]);
});

test('a gate that is not met ends the run with exit code 3, and nothing behind it runs', async () => {
  shop.pipeline(text('quick.loss <= 0.5'));
  const said = await shop.run();
  expect(said.end).toMatchObject({ status: 'gate_failed', exit_code: 3 });
  const value = said.finished('quick').metrics.loss!;
  expect(said.of('gate')[0]).toMatchObject({
    passed: false,
    conditions: [{ text: 'quick.loss <= 0.5', value, passed: false }],
  });
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP6004', stage: 'gate', line: 7 });
  expect(said.of('diagnostic')[0]!.message).toContain(`quick.loss <= 0.5 (is ${value})`);
  expect(said.of('stage_started').map((e) => e.stage)).toEqual(['pretrain', 'sft', 'quick', 'gate']);
  const again = await shop.run();
  expect(again.end.exit_code).toBe(3);
  expect(again.computed).toEqual(['gate']);
});

test('a gate that is met names its values and is not asked again', async () => {
  shop.pipeline(text('quick.loss <= 50  quick.token_accuracy >= 0'));
  const said = await shop.run({ until: 'gate' });
  expect(said.of('gate')[0]).toMatchObject({ passed: true });
  expect(said.finished('gate').metrics).toEqual({
    'quick.loss <= 50': said.finished('quick').metrics.loss,
    'quick.token_accuracy >= 0': said.finished('quick').metrics.token_accuracy,
  });
  expect((await shop.run({ until: 'gate' })).computed).toEqual([]);
});
