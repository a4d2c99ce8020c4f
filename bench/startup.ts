/**
 * Seconds from the start of `ftc run pipelines/quickstart.ftp --json` to the first training step of its sft, pretrain being
 * cached. Each repetition runs on a copy of a store that holds pretrain and nothing else. One JSON line, with the seconds
 * at which each kind of event was first seen.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../src/runtime/run/events.ts';
import { median, numbersFrom } from './measure.ts';

const { steps: repetitions } = numbersFrom({ steps: 3 });
const root = join(import.meta.dirname, '../..');
const ftc = join(root, 'dist/src/cli/main.js');

/** Seconds of the first event of each kind, until `enough` says stop or the run ends. */
async function follow(
  store: string,
  until: string,
  enough: (event: RunEvent) => boolean,
): Promise<Map<string, number>> {
  const started = performance.now();
  const words = ['run', 'pipelines/quickstart.ftp', '--json', '--until', until, '--store', store];
  const child = spawn(process.execPath, [ftc, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const seen = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as RunEvent;
    const name = 'stage' in event && event.stage !== undefined ? `${event.stage} ${event.type}` : event.type;
    if (!seen.has(name)) seen.set(name, Number(((performance.now() - started) / 1000).toFixed(3)));
    if (enough(event)) child.kill('SIGTERM');
  }
  await ended;
  return seen;
}

const directory = await mkdtemp(join(tmpdir(), 'ftc-startup-'));
try {
  const base = join(directory, 'base');
  await follow(base, 'pretrain', () => false);
  const seconds: number[] = [];
  let events: Record<string, number> = {};
  for (let i = 0; i < repetitions; i++) {
    const store = join(directory, String(i));
    await cp(base, store, { recursive: true });
    const isStep = (event: RunEvent) => event.type === 'step' && event.stage === 'sft';
    const seen = await follow(store, 'sft', isStep);
    seconds.push(seen.get('sft step')!);
    events = Object.fromEntries(seen);
  }
  console.log(
    JSON.stringify({
      firstStepSeconds: median(seconds),
      bestSeconds: Math.min(...seconds),
      events: JSON.stringify(events),
    }),
  );
} finally {
  await rm(directory, { recursive: true });
}
