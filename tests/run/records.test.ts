/** What a run leaves for later readers: its events and its log. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();

test('events.jsonl holds every event, the version first; log.txt says the same in words', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=1) → gate(pretrain.loss < 0)`);
  const said = await shop.run();
  const [run] = readdirSync(join(shop.store, 'runs'));
  const kept = shop.read(`.ftc/runs/${run}/events.jsonl`).trimEnd().split('\n');
  expect(kept.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(said.events)));
  expect(JSON.parse(kept[0]!)).toMatchObject({ type: 'version', format_version: '1.0' });
  const log = shop.read(`.ftc/runs/${run}/log.txt`).trimEnd().split('\n');
  for (const line of log) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z /);
  const words = log.map((line) => line.slice(25));
  expect(words[0]).toBe(`run ${run} of tiny on cpu: pretrain → gate`);
  expect(words).toContain('pretrain: run');
  expect(words.at(-1)).toMatch(/^error\[FTP6004\] gate: the gate was not met: pretrain\.loss < 0 \(is /);
});
