/** A learning rate that diverges ends the stage at the first number that is not finite. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import { readCheckpointHeader } from '../../src/runtime/run/checkpoint-directory.ts';
import { TINY, type Workshop, workshops } from './workshop.ts';

const workshop = workshops();

const work = ({ store }: Workshop): string => {
  const [name] = readdirSync(join(store, 'work'));
  return join(store, 'work', name!);
};

test('names the step and the option, and keeps the last checkpoint that a step was taken from', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=6 save_every=1 lr=1e6)`);
  const said = await shop.run();
  expect(said.end).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(said.series('pretrain', 'loss')).toHaveLength(2);
  expect(said.of('checkpoint').map((e) => e.step)).toEqual([1, 2]);
  const [problem] = said.of('diagnostic');
  expect(problem).toMatchObject({ code: 'FTP6001', stage: 'pretrain', file: shop.file, line: 1 });
  expect(problem!.message).toMatch(/of step 3 /);
  expect(shop.read('tiny.ftp').slice(problem!.column! - 1)).toMatch(/^lr=1e6/);
  // The weights of step 2 are finite and gave no gradient; those of step 1 gave a loss.
  expect(problem!.notes.at(-1)).toMatch(/^the last good checkpoint, of step 1, goes with these options: /);
  expect(await readCheckpointHeader(work(shop))).toMatchObject({ step: 1 });
  const kept = await readSafetensors(join(work(shop), 'checkpoint.safetensors'));
  for (const { data } of kept.values()) expect(data.every((x) => Number.isFinite(x))).toBe(true);
  expect(Object.keys(said.artifacts)).toEqual([]);
});

test('promises no checkpoint where nothing good was saved', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=6 save_every=1 lr=1e12)`);
  const said = await shop.run();
  expect(said.of('checkpoint').map((e) => e.step)).toEqual([1]);
  expect(said.of('diagnostic')[0]!.message).toBe('the loss of step 2 is NaN');
  expect(said.of('diagnostic')[0]!.notes).toEqual(['training left the range of numbers']);
  expect(readdirSync(work(shop))).toEqual([]);
});

test('what it says of going on is so: the same options diverge again, others begin anew', async () => {
  const text = (lr: string) => `pretrain(${TINY} max_steps=6 save_every=1 lr=${lr})`;
  const shop = workshop(text('1e6'));
  const [first, second] = [await shop.run(), await shop.run()];
  expect(second.of('stage_started')[0]).toMatchObject({ action: 'resume', from_step: 1 });
  expect(second.of('diagnostic')[0]).toEqual(first.of('diagnostic')[0]);
  shop.pipeline(text('0.01'));
  const mended = await shop.run();
  expect(first.of('diagnostic')[0]!.help).toEqual([
    'lower `lr`, lengthen `warmup`, or lower `clip`: the stage then begins anew, from its first step',
  ]);
  expect(mended.of('stage_started')[0]).toMatchObject({ action: 'run' });
  expect(mended.series('pretrain', 'loss')).toHaveLength(6);
  expect(mended.end.status).toBe('ok');
});

test('a last update that breaks the model does not finish the stage', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=1 warmup=0 lr=1e39 clip=0)`);
  const said = await shop.run();
  expect(said.series('pretrain', 'loss')).toHaveLength(1);
  expect(said.end.status).toBe('failed');
  expect(said.of('diagnostic')[0]!.message).toMatch(/^after step 1 `.*` holds -?Infinity$/);
});

test('ppo ends at the first number that is not finite', async () => {
  const shop = workshop(
    `pretrain(${TINY} max_steps=1) → rm(lora r=2; max_steps=1 batch=4) → ppo(lora r=2; steps=4 batch=4 minibatch=2 max_new_tokens=4 lr=1e20)`,
  );
  const said = await shop.run();
  const [problem] = said.of('diagnostic');
  expect(problem).toMatchObject({ code: 'FTP6001', stage: 'ppo' });
  expect(problem!.message).toMatch(/step 1 /);
});
