/** Pipelines that start from a model of a hub. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMIT, type FakeHub, startHub } from '../hub/fake-hub.ts';
import { TINY, type Workshop, workshops } from './workshop.ts';

const workshop = workshops();
const method = 'lora r=2 targets=q,v';
const before = { ...process.env };
let shop: Workshop;
let hub: FakeHub;

beforeAll(async () => {
  shop = workshop(`pretrain(${TINY} max_steps=2) → export(to="base")`);
  expect((await shop.run()).end.status).toBe('ok');
  const base = join(shop.directory, 'base');
  const files = readdirSync(base).map((name) => [name, readFileSync(join(base, name))]);
  hub = await startHub(Object.fromEntries(files));
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: join(shop.directory, 'hub-cache') });
});
afterAll(async () => {
  process.env = before;
  await hub.close();
});

const weightsAsked = () => hub.asked.filter(({ path }) => path.includes('.safetensors')).length;

test('the plan fetches no weights and says the commit; the run fetches once; it trains as from a directory', async () => {
  shop.pipeline(`sft(model=local("base") ${method} max_steps=2)`);
  const local = await shop.run();
  shop.pipeline(`sft(model=hf("org/tiny") ${method} max_steps=2)`);
  const plan = await shop.plan();
  expect(plan.diagnostics).toEqual([]);
  expect(plan.stages[0]!.notes).toContain(`revision ${COMMIT}`);
  expect(weightsAsked()).toBe(0);
  const run = await shop.run();
  expect(run.of('diagnostic')).toEqual([]);
  expect(run.of('message', 'open').map(({ text }) => text)).toContain(`revision ${COMMIT} of org/tiny`);
  expect(run.series('sft', 'loss')).toEqual(local.series('sft', 'loss'));
  const asked = weightsAsked();
  expect(asked).toBeGreaterThan(0);
  expect((await shop.run()).computed).toEqual([]);
  expect(weightsAsked()).toBe(asked);
});

test('a name that is not there is found by the plan, at its place', async () => {
  shop.pipeline('sft(model=hf("org/tinny"))');
  const { diagnostics } = await shop.plan();
  expect(diagnostics).toMatchObject([{ stage: 'open', span: { line: 1, column: 5 } }]);
  expect(diagnostics[0]!.message).toContain('org/tinny');
});
