/** The engine in its own process: messages and signals that ask it to stop. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { Said, TINY, workshops } from './workshop.ts';

const workshop = workshops();
const main = fileURLToPath(new URL('../../dist/src/runtime/run/engine-main.js', import.meta.url));
beforeAll(() => expect(existsSync(main), 'run `npm run build` first').toBe(true));

/** Runs until `act` has been called at the first step, and the process has left. */
async function interrupted(act: (engine: ChildProcess) => void) {
  const shop = workshop(`pretrain(${TINY} tokens=20M)`);
  const request = shop.request(await shop.plan());
  const engine = fork(main, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced' });
  const events: RunEvent[] = [];
  let words = '';
  engine.stderr!.on('data', (text) => {
    words += text;
  });
  let acted = false;
  engine.on('message', (event: RunEvent) => {
    events.push(event);
    if (event.type !== 'step' || acted) return;
    acted = true;
    act(engine);
  });
  engine.send({ type: 'run', request });
  const code = await new Promise((resolve) => engine.on('exit', resolve));
  expect(words).toBe('');
  expect(code).toBe(0);
  const plan = await shop.plan();
  expect(plan.stages[0]!.action).toBe('resume');
  expect(plan.stages[0]!.from_step).toBeGreaterThanOrEqual(1);
  expect(existsSync(join(shop.store, 'lock'))).toBe(false);
  const [work] = readdirSync(join(shop.store, 'work'));
  expect(readdirSync(join(shop.store, 'work', work!))).toContain('checkpoint.safetensors');
  return new Said(events);
}

test.each([
  ['the message stop', (engine: ChildProcess) => void engine.send({ type: 'stop' })],
  ['SIGTERM', (engine: ChildProcess) => void engine.kill('SIGTERM')],
  ['SIGINT', (engine: ChildProcess) => void engine.kill('SIGINT')],
])('%s: the step is finished, saved, and the run is stopped', async (_, act) => {
  const said = await interrupted(act);
  expect(said.end).toMatchObject({ status: 'stopped', exit_code: 130 });
  expect(said.of('checkpoint')).toHaveLength(1);
  expect(said.of('diagnostic')).toEqual([]);
});

test('a parent that is gone: what was done is kept', async () => {
  await interrupted((engine) => engine.disconnect());
});

test('a checkpoint that may not be written ends the run with FTP4002 and exit code 4', async (context) => {
  if (process.platform === 'win32') return context.skip();
  const shop = workshop(`pretrain(${TINY} max_steps=3 save_every=1)`);
  const request = shop.request(await shop.plan());
  // Files of at most 100 kB: the checkpoint with its moments is larger.
  const command = ['-c', 'ulimit -f 100 && exec "$0" "$1"', process.execPath, main];
  const engine = spawn('bash', command, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const events: RunEvent[] = [];
  engine.on('message', (event: RunEvent) => events.push(event));
  engine.send({ type: 'run', request });
  await new Promise((resolve) => engine.on('exit', resolve));
  const said = new Said(events);
  expect(said.end).toMatchObject({ status: 'failed', exit_code: 4 });
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP4002', stage: 'pretrain', line: 1 });
  expect(said.series('pretrain', 'loss')).toHaveLength(1);
  expect(existsSync(join(shop.store, 'lock'))).toBe(false);
  expect((await shop.run()).end.status).toBe('ok');
});
