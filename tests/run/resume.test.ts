/** A run that was interrupted and goes on ends with the same bytes as one that was not; two runs are the same. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { atStep, type Said, TINY, workshops } from './workshop.ts';

const workshop = workshops();

const text = `
pretrain(${TINY} data=jsonl("data/notes.jsonl") → split(test=20%) max_steps=4)
→ sft(lora r=2 dropout=0.2; max_steps=4 batch=4)
→ rm(lora r=2; max_steps=3 batch=4)
→ ppo(lora r=2; steps=4 batch=4 minibatch=2 epochs=2 max_new_tokens=5 kl_target=0.001 kl_horizon=20)`;

/** Metrics that are part of a result: all but the speed. */
const numbers = (said: Said) =>
  said
    .of('step')
    .map(({ stage, step, metrics: { tokens_per_second: _, ...metrics } }) => ({ stage, step, metrics }));

let whole: Said;
beforeAll(async () => {
  whole = await workshop(text).run();
  expect(whole.end).toMatchObject({ status: 'ok', exit_code: 0 });
});

test('the same seed twice gives the same artifacts and metrics, another seed others', async () => {
  const again = await workshop(text).run();
  expect(again.artifacts).toEqual(whole.artifacts);
  expect(numbers(again)).toEqual(numbers(whole));
  const other = await workshop(`param seed: int = 43\n${text}`).run({ until: 'sft' });
  expect(other.artifacts['pretrain.policy']).not.toBe(whole.artifacts['pretrain.policy']);
});

describe.each(['pretrain', 'sft', 'rm', 'ppo'])('%s', (stage) => {
  test('stopped after two steps and resumed, is as if uninterrupted', async () => {
    const shop = workshop(text);
    const first = await shop.run({ stopAfter: atStep(stage, 2) });
    expect(first.end).toMatchObject({ status: 'stopped', exit_code: 130 });
    expect(first.of('checkpoint', stage).map((e) => e.step)).toEqual([2]);
    expect(first.of('diagnostic')).toEqual([]);
    const plan = await shop.plan();
    expect(plan.stages.find((s) => s.id === stage)).toMatchObject({
      action: 'resume',
      from_step: 2,
      reason: 'stopped at step 2',
    });
    const second = await shop.run();
    expect(second.of('stage_started', stage)[0]).toMatchObject({ action: 'resume', from_step: 2 });
    expect(second.of('step', stage)[0]!.step).toBe(3);
    expect(second.artifacts).toEqual(whole.artifacts);
    expect([...numbers(first), ...numbers(second)]).toEqual(numbers(whole));
    expect(second.finished(stage).metrics).toEqual(whole.finished(stage).metrics);
    expect(readdirSync(join(shop.store, 'work'))).toEqual([]);
  });
});

test('a stop between two stages runs nothing of the next one', async () => {
  const shop = workshop(text);
  const said = await shop.run({ stopAfter: (e) => e.type === 'stage_finished' && e.stage === 'pretrain' });
  expect(said.end).toMatchObject({ status: 'stopped', exit_code: 130 });
  expect(said.computed).toEqual(['pretrain']);
});

test('a killed engine leaves a store that the next run goes on from', async () => {
  const main = fileURLToPath(new URL('../../dist/src/runtime/run/engine-main.js', import.meta.url));
  expect(existsSync(main), 'npm run build').toBe(true);
  const shop = workshop(text.replace('sft(', 'sft(save_every=1 '));
  const request = shop.request(await shop.plan());
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const seen: RunEvent[] = [];
  child.on('message', (event: RunEvent) => {
    seen.push(event);
    if (event.type === 'checkpoint' && event.stage === 'sft') child.kill('SIGKILL');
  });
  child.send({ type: 'run', request });
  await new Promise((resolve) => child.on('exit', resolve));
  expect(seen.some((event) => event.type === 'run_finished')).toBe(false);
  expect(existsSync(join(shop.store, 'lock'))).toBe(true);
  const next = await shop.run();
  expect(next.computed).toEqual(['sft', 'rm', 'ppo']);
  expect(next.of('stage_started', 'sft')[0]!.from_step).toBeGreaterThanOrEqual(1);
  expect(next.artifacts).toEqual(whole.artifacts);
});

test('a checkpoint that cannot be read is told with its path, and removing it starts the stage anew', async () => {
  const shop = workshop(text);
  await shop.run({ stopAfter: atStep('pretrain', 2) });
  const [name] = readdirSync(join(shop.store, 'work'));
  const path = join('.ftc', 'work', name!, 'checkpoint.safetensors');
  shop.write(path, 'not a checkpoint');
  const { diagnostics } = await shop.plan();
  expect(diagnostics.map((d) => [d.stage, d.code])).toEqual([['pretrain', 'FTP7005']]);
  expect(diagnostics[0]!.message).toContain(join(shop.directory, path));
  rmSync(join(shop.directory, path));
  expect((await shop.run({ until: 'pretrain' })).artifacts).toEqual({
    'pretrain.policy': whole.artifacts['pretrain.policy'],
  });
});
