/** `ftc init`: every template is a pipeline that can be planned at once, and nothing of the user's is touched. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/runtime/run/plan-types.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { ftc, main } from './ftc.ts';

const templates = execFileSync(process.execPath, [main, 'init', '--list'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => line.split(' ')[0]!);

/** Path → bytes of everything under a directory. */
const contents = (directory: string) =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length + 1), readFileSync(path, 'base64')]),
  );

it('lists its templates', () => {
  expect(templates).toEqual(['quickstart', 'medical']);
});

describe.each(templates)('ftc init %s', (name) => {
  const file = `${name}.ftp`;

  it('writes a pipeline that checks and plans, from data and no scripts', async () => {
    const cwd = temporaryDirectory();
    const made = await ftc(['init', name], { cwd });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain(`ftc run ${file}`);
    expect(Object.keys(contents(cwd)).filter((path) => path.endsWith('.mjs'))).toEqual([]);
    expect(await ftc(['check', file], { cwd })).toMatchObject({ code: 0, stderr: '' });
    const planned = await ftc(['plan', file, '--json'], { cwd });
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    const plan = JSON.parse(planned.stdout) as Plan;
    expect(plan.diagnostics).toEqual([]);
    expect(plan.stages.map(({ action }) => action)).toEqual(plan.stages.map(() => 'run'));
    for (const kind of ['pretrain', 'sft', 'rm', 'ppo']) {
      expect(plan.stages.find((stage) => stage.kind === kind)!.steps).toBeGreaterThan(0);
    }
  });

  it('overwrites nothing, and writes nothing where it would have to', async () => {
    const cwd = temporaryDirectory();
    await ftc(['init', name], { cwd });
    writeFileSync(join(cwd, file), '# mine\n');
    const before = contents(cwd);
    const again = await ftc(['init', name], { cwd });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`\`${file}\` is there already, and init overwrites nothing`);
    expect(contents(cwd)).toEqual(before);

    const folder = name === 'quickstart' ? 'data' : name;
    const taken = temporaryDirectory({ [`${folder}/mine.txt`]: 'mine' });
    expect((await ftc(['init', name], { cwd: taken })).stderr).toContain(`\`${folder}\` is there already`);
    expect(Object.keys(contents(taken))).toEqual([`${folder}/mine.txt`]);
  });
});

it('writes beside what is there, in a directory that is named', async () => {
  const cwd = temporaryDirectory({ 'my model/notes.txt': 'mine' });
  const made = await ftc(['init', '--to', 'my model'], { cwd });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain("ftc run 'my model/quickstart.ftp'");
  expect(readdirSync(join(cwd, 'my model')).sort()).toEqual(['data', 'notes.txt', 'quickstart.ftp']);
  expect(readdirSync(cwd)).toEqual(['my model']);
});

it('says so where the directory is a file', async () => {
  const cwd = temporaryDirectory({ there: 'mine' });
  const made = await ftc(['init', '--to', 'there'], { cwd });
  expect(made.code).toBe(6);
  expect(made.stderr).toContain('cannot write to `there`');
  expect(contents(cwd)).toEqual({ there: Buffer.from('mine').toString('base64') });
});
