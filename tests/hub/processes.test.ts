/** Several processes with one cache: nothing is fetched twice, nothing is damaged, and one that is killed leaves what it has. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';
import { type Asked, type FakeHub, sha256, startHub } from './fake-hub.ts';
import { bytes, tinyFiles } from './tiny-files.ts';

const script = fileURLToPath(new URL('./fetch-in-child.mjs', import.meta.url));
const weights = bytes(8_000_000);
const files = { ...tinyFiles, 'model.safetensors': weights };
const ofWeights = ({ server }: Asked): boolean => server === 'cdn';

let hub: FakeHub;
afterEach(() => hub.close());

interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string }>;
}

function fetching(cache: string): Child {
  const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HOME: cache };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout })),
  );
  return { process: child, ended };
}

function expectWhole(cache: string): void {
  const blobs = join(cache, 'models--org--tiny/blobs');
  expect(readFileSync(join(blobs, sha256(weights))).equals(Buffer.from(weights))).toBe(true);
  expect(readdirSync(blobs).length).toBe(5);
}

it('fetch a file once', async () => {
  hub = await startHub(files);
  const cache = temporaryDirectory();
  const ended = await Promise.all([fetching(cache), fetching(cache), fetching(cache)].map((c) => c.ended));
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
  expectWhole(cache);
  expect(hub.asked.filter(ofWeights).length).toBe(1);
});

it('go on where a killed one ended', async () => {
  hub = await startHub(files);
  const cache = temporaryDirectory();
  // The connection stays open after a part of the file.
  hub.fault = (asked) => (ofWeights(asked) ? { stallAfter: 3_000_000 } : undefined);
  const killed = fetching(cache);
  const partial = join(cache, 'models--org--tiny/blobs', `${sha256(weights)}.incomplete`);
  await expect.poll(() => sizeOf(partial), { timeout: 10_000 }).toBe(3_000_000);
  killed.process.kill('SIGKILL');
  await killed.ended;
  hub.fault = () => undefined;
  hub.asked.length = 0;
  expect((await fetching(cache).ended).code).toBe(0);
  expectWhole(cache);
  expect(hub.asked.filter(ofWeights).map(({ range }) => range)).toEqual(['bytes=3000000-']);
}, 20_000);

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
