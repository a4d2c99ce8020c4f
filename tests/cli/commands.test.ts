/** Commands as people type them: exit codes, what is said where, and what is loaded for it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const line = 'pretrain → sft(lora r=8 targets=q,v) → rm → ppo\n';

describe('ftc', () => {
  it('has a version and help, for each command too', async () => {
    expect((await ftc(['--version'])).stdout).toBe('0.1.0\n');
    const help = await ftc(['--help']);
    expect(help.code).toBe(0);
    for (const name of [
      'check',
      'fmt',
      'plan',
      'run',
      'generate',
      'explain',
      'devices',
      'init',
      'runs',
      'clean',
    ]) {
      expect(help.stdout).toContain(`ftc ${name} `.trimEnd());
    }
    const page = await ftc(['run', '--help']);
    expect(page).toMatchObject({ code: 0, stderr: '' });
    expect(page.stdout).toContain('--until STAGE');
  });

  it.each([
    [[], 2, ''],
    [['chek', 'a.ftp'], 2, 'did you mean `ftc check`?'],
    [['--verison'], 2, 'did you mean `ftc --version`?'],
    [['-q', 'check', 'a.ftp'], 2, '`-q` stands before a command'],
    [['a.ftp'], 2, 'write ftc run a.ftp'],
    [['check'], 2, '`ftc check` needs FILE…'],
    [['check', '--fixx', 'a.ftp'], 2, 'did you mean `--fix`?'],
    [['check', 'a.ftp', '--color', 'red'], 2, '`--color` is auto, always or never, not `red`'],
    [['run', 'a.ftp', '--reporter', 'junitt'], 2, 'did you mean `junit`?'],
    [['init', 'quickstrat'], 2, 'did you mean `ftc init quickstart`?'],
  ])('%j is a usage error', async (words, code, said) => {
    const ended = await ftc(words);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(said);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('ftc check', () => {
  it('says ok, and how many stages there are', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': line });
    expect(await ftc(['check', 'main.ftp'], { cwd })).toEqual({
      code: 0,
      stdout: 'main.ftp: ok, 4 stages\n',
      stderr: '',
    });
    expect((await ftc(['check', '-q', 'main.ftp'], { cwd })).stdout).toBe('');
  });

  it('draws problems at their place, and tells CI', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': 'pretrain → sft(lora r=8 target=q,v)\n' });
    const ended = await ftc(['check', 'main.ftp'], { cwd });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('error[FTP2003 unknown-param]');
    expect(ended.stdout).toContain('main.ftp:1:25');
    const github = await ftc(['check', 'main.ftp'], { cwd, env: { GITHUB_ACTIONS: 'true' } });
    expect(github.stdout).toContain('::error file=main.ftp,line=1,col=25,title=FTP2003 unknown-param::');
    const junit = await ftc(['check', 'main.ftp', '--reporter', 'junit'], { cwd });
    expect(junit.stdout).toContain('<testsuites tests="1" failures="1"');
  });

  it('writes JSON and nothing else where that is wanted', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': 'pretrain → sft(lora r=8 target=q,v)\n' });
    const ended = await ftc(['check', 'main.ftp', '--json'], { cwd });
    expect(ended.code).toBe(1);
    const report = JSON.parse(ended.stdout);
    expect(report.format_version).toMatch(/^1\./);
    expect(report.diagnostics[0]).toMatchObject({ code: 'FTP2003', severity: 'error' });
  });

  it('mends what is safe to mend', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': 'pretrain → sft(lora r=8 target=q,v)\n' });
    const ended = await ftc(['check', '--fix', 'main.ftp'], { cwd });
    expect(ended).toMatchObject({ code: 0, stderr: 'main.ftp: one problem mended\n' });
    expect(readFileSync(join(cwd, 'main.ftp'), 'utf8')).toBe('pretrain → sft(lora r=8 targets=q,v)\n');
  });

  it.each([
    ['an empty file', '', 'FTP1001'],
    ['a binary file', randomBytes(4096), 'FTP0001'],
    ['10 MB of noise', randomBytes(5_000_000).toString('hex'), 'FTP0006'],
    ['half a line', 'pretrain → sft(lora r=', 'error[FTP'],
  ])('calls %s by its name', async (_, content, code) => {
    const ended = await ftc(['check', 'main.ftp'], { cwd: temporaryDirectory({ 'main.ftp': content }) });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(code);
    expect(ended.stdout).toContain('main.ftp');
    expect(ended.stdout + ended.stderr).not.toMatch(/\n\s+at .*\(/);
  });

  it('calls a missing file and a directory by their names', async () => {
    const cwd = temporaryDirectory({ 'there/main.ftp': line });
    const missing = await ftc(['check', 'gone.ftp'], { cwd });
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain('cannot read `gone.ftp`: there is no such file');
    expect(missing.stdout).toContain('check the path');
    const directory = await ftc(['check', 'there'], { cwd });
    expect(directory.stdout).toContain('it is a directory');
    expect(directory.stdout).toContain('there is `there/main.ftp`');
    const typo = await ftc(['check', 'there/mian.ftp'], { cwd });
    expect(typo.stdout).toContain('did you mean `there/main.ftp`?');
    expect((await ftc(['check', 'there/main'], { cwd })).stdout).toContain('did you mean `there/main.ftp`?');
  });

  it('reads the files that a file uses', async () => {
    const cwd = temporaryDirectory({
      'main.ftp': 'use "lib/shared.ftp" as shared\npretrain(data=shared.notes)\n',
      'lib/shared.ftp': 'data notes = text("notes.txt")\n',
    });
    expect(await ftc(['check', 'main.ftp'], { cwd })).toMatchObject({ code: 0 });
  });

  it('loads neither the terminal nor the engine', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': line });
    const log = join(cwd, 'imports.txt');
    const hooks = fileURLToPath(new URL('./import-log.mjs', import.meta.url));
    const ended = await ftc(['check', 'main.ftp'], {
      cwd,
      node: ['--import', hooks],
      env: { IMPORT_LOG: log },
    });
    expect(ended.code).toBe(0);
    const loaded = readFileSync(log, 'utf8');
    expect(loaded).toContain('dist/src/cli/commands/check.js');
    expect(loaded).not.toMatch(/node_modules\/(ink|react|onnxruntime|@tensorflow|yoga)|cli\/terminal/);
  });
});

describe('ftc fmt', () => {
  const crooked = 'pretrain->sft( lora r=8,targets=q,v )->rm->ppo';

  it('lays a file out, and a second time changes nothing', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': crooked });
    expect((await ftc(['fmt', 'main.ftp'], { cwd })).stdout).toBe('main.ftp formatted\n');
    expect(readFileSync(join(cwd, 'main.ftp'), 'utf8')).toBe(line);
    expect(await ftc(['fmt', 'main.ftp'], { cwd })).toMatchObject({ code: 0, stdout: '' });
  });

  it('only checks or shows where that is wanted', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': crooked, 'good.ftp': line });
    expect(await ftc(['fmt', '--check', 'good.ftp'], { cwd })).toMatchObject({ code: 0, stdout: '' });
    const check = await ftc(['fmt', '--check', 'main.ftp', 'good.ftp'], { cwd });
    expect(check).toMatchObject({ code: 1, stdout: 'main.ftp would be formatted\n' });
    const diff = await ftc(['fmt', '--diff', 'main.ftp'], { cwd });
    expect(diff.code).toBe(1);
    expect(diff.stdout).toContain(`-${crooked}\n`);
    expect(diff.stdout).toContain(`+${line}`);
    expect(readFileSync(join(cwd, 'main.ftp'), 'utf8')).toBe(crooked);
  });

  it('reads stdin', async () => {
    expect(await ftc(['fmt', '-'], { input: crooked })).toEqual({ code: 0, stdout: line, stderr: '' });
  });

  it('leaves a broken file as it is', async () => {
    const cwd = temporaryDirectory({ 'main.ftp': 'pretrain → sft(\n' });
    expect((await ftc(['fmt', 'main.ftp'], { cwd })).code).toBe(1);
    expect(readFileSync(join(cwd, 'main.ftp'), 'utf8')).toBe('pretrain → sft(\n');
  });
});

describe('ftc explain and docs', () => {
  it('explains a code, by number or by name', async () => {
    const page = await ftc(['explain', 'FTP2003']);
    expect(page.code).toBe(0);
    expect(page.stdout).toContain('unknown-param');
    expect((await ftc(['explain', 'unknown-param'])).stdout).toBe(page.stdout);
    const unknown = await ftc(['explain', 'FTP2999']);
    expect(unknown.code).toBe(2);
  });

  it('documents what a file may name', async () => {
    expect((await ftc(['docs'])).stdout).toContain('ppo');
    expect((await ftc(['docs', 'lora'])).stdout).toContain('targets');
    const unknown = await ftc(['docs', 'loar']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('did you mean `lora`?');
  });
});
