/** What makes a stage run again, and what does not. */
import { beforeAll, expect, test } from 'vitest';
import { lines, preferenceRows, sftRows } from './tiny-data.ts';
import { TINY, type Workshop, workshops } from './workshop.ts';

const workshop = workshops();
const stages = (sft = 'batch=4', rm = 'batch=4') => `
pretrain(${TINY} max_steps=1)
→ sft(lora r=2; max_steps=1 ${sft})
→ rm(lora r=2; max_steps=1 ${rm})
→ ppo(lora r=2; steps=1 batch=2 minibatch=2 max_new_tokens=3)`;

let shop: Workshop;
beforeAll(async () => {
  shop = workshop(stages());
  expect((await shop.run()).end.status).toBe('ok');
});

const planned = async () => {
  const plan = await shop.plan();
  return Object.fromEntries(plan.stages.map((s) => [s.id, s.action === 'cached' ? 'cached' : s.reason]));
};
const cached = { pretrain: 'cached', sft: 'cached', rm: 'cached', ppo: 'cached' };

test('a second run of an unchanged pipeline executes nothing', async () => {
  const said = await shop.run();
  expect(said.computed).toEqual([]);
  expect(said.of('step')).toEqual([]);
  expect(said.of('stage_finished').map((e) => e.action)).toEqual(['cached', 'cached', 'cached', 'cached']);
  expect((await shop.plan()).has_changes).toBe(false);
});

test('comments, layout, cosmetic options and the label leave the keys as they are', async () => {
  shop.pipeline(`# a comment\n${stages('eval_every=1 save_every=1 batch=4')}`);
  expect(await planned()).toEqual(cached);
  shop.pipeline(stages().replace('→ rm(', '→ judge: rm(data=jsonl("data/rm.jsonl") '));
  expect(await planned()).toEqual({ pretrain: 'cached', sft: 'cached', judge: 'cached', ppo: 'cached' });
  const named = stages().replace('pretrain(', 'pretrain(data=notes ');
  shop.pipeline(`data notes = text("data/pretrain.txt")\npipeline tiny =${named}`);
  expect(await planned()).toEqual(cached);
  const said = await shop.run();
  expect(said.computed).toEqual([]);
});

test('a changed data file runs its stage again, and a touched one does not', async () => {
  shop.pipeline(stages());
  shop.write('data/rm.jsonl', lines(preferenceRows));
  expect(await planned()).toEqual(cached);
  shop.write('data/sft.jsonl', lines(sftRows.slice(1)));
  expect(await planned()).toMatchObject({
    pretrain: 'cached',
    sft: 'the rows of `data` changed',
    rm: '`policy` comes from a changed stage',
  });
  shop.write('data/sft.jsonl', lines(sftRows));
  expect(await planned()).toEqual(cached);
});

test('a changed rm runs again, and what reads its reward', async () => {
  shop.pipeline(stages(undefined, 'batch=4 lr=0.003'));
  expect(await planned()).toEqual({
    ...cached,
    rm: expect.stringMatching(/^lr 0\.002 → 0\.003 \(.*tiny\.ftp:4\)$/),
    ppo: '`reward` comes from a changed stage',
  });
  expect((await shop.run()).computed).toEqual(['rm', 'ppo']);
});

test('data that change between the plan and the run stop it', async () => {
  shop.pipeline(stages(undefined, 'batch=2'));
  expect(await planned()).toMatchObject({ pretrain: 'cached', sft: 'cached' });
  const plan = await shop.plan();
  shop.write('data/rm.jsonl', lines(preferenceRows.slice(2)));
  const said = await shop.run({ plan });
  expect(said.end).toMatchObject({ status: 'failed', exit_code: 5 });
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP7003', stage: 'rm' });
  expect(said.of('step')).toEqual([]);
  shop.write('data/rm.jsonl', lines(preferenceRows));
});
