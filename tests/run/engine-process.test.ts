/** The engine in its own process: messages and signals that ask it to stop. */
import { type ChildProcess, fork } from 'node:child_process';
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
