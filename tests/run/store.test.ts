/** A store that cannot be used, and a disk that is full. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { explainFailure } from '../../src/runtime/run/failures.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();
const text = `pretrain(${TINY} max_steps=3 save_every=1)`;
afterEach(() => vi.restoreAllMocks());

test('a store in use', async () => {
  const shop = workshop(text);
  const plan = await shop.plan();
  const other = await openStore(shop.store, { write: true });
  const said = await shop.run({ plan });
  expect(said.end).toMatchObject({ status: 'failed', exit_code: 5 });
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP7002' });
  expect(said.of('diagnostic')[0]!.message).toContain(`in use by process ${process.pid}`);
  await other.close();
  expect((await shop.run({ plan })).end.exit_code).toBe(0);
});

test('a store of another version', async () => {
  const shop = workshop(text);
  const plan = await shop.plan();
  mkdirSync(shop.store, { recursive: true });
  writeFileSync(join(shop.store, 'version'), '99\n');
  const said = await shop.run({ plan });
  expect(said.end).toMatchObject({ status: 'failed', exit_code: 5 });
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP7001' });
  expect(readdirSync(shop.store)).toEqual(['version']);
  const refused = await shop.plan().catch((error) => explainFailure(error, undefined));
  expect(refused).toMatchObject({ exitCode: 5, diagnostic: { code: 'FTP7001' } });
});

const shell = (command: string) => void execFileSync('sh', ['-c', command], { stdio: 'ignore' });

/** A file system of so many kilobytes, or undefined where one may not be mounted. */
function smallDisk(directory: string, kilobytes: number): (() => void) | undefined {
  mkdirSync(directory, { recursive: true });
  try {
    shell(`mount -t tmpfs -o size=${kilobytes}k tmpfs "${directory}"`);
  } catch {
    return undefined;
  }
  return () => shell(`umount "${directory}"`);
}

test('a full disk ends the run with FTP4002 and exit code 4', async (context) => {
  const shop = workshop(text);
  const disk = join(shop.directory, 'disk');
  const unmount = smallDisk(disk, 300);
  if (!unmount) return context.skip('a small disk may not be mounted here');
  try {
    const store = join(disk, '.ftc');
    const said = await shop.run({ store });
    expect(said.end).toMatchObject({ status: 'failed', exit_code: 4 });
    expect(said.of('diagnostic').map((e) => e.code)).toEqual(['FTP4002']);
    expect(said.of('diagnostic')[0]!.help.join()).toContain('--store DIR');
    expect(existsSync(join(store, 'lock'))).toBe(false);
    expect((await shop.run({ store })).end.exit_code).toBe(4);
  } finally {
    unmount();
  }
});
