/** The faces of a run in a real child process of the built command line, over a real channel to a (fake) engine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

interface Scenario {
  readonly stepMilliseconds?: number;
  readonly steps?: number;
  readonly fail?: 'crash' | 'memory' | 'throw' | 'diverge' | 'gate' | 'early' | 'deaf';
}

interface Ended {
  readonly stdout: string;
  readonly code: number | null;
}

const script = fileURLToPath(new URL('./fake-run.mjs', import.meta.url));

function run(
  words: readonly string[],
  scenario: Scenario = {},
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly during?: (child: ChildProcess, stdout: string) => void;
  } = {},
): Promise<Ended> {
  const { GITHUB_ACTIONS: _, CI: __, ...inherited } = process.env;
  const env = { ...inherited, FAKE_ENGINE: JSON.stringify(scenario), ...options.env };
  const child = spawn(process.execPath, [script, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.during?.(child, stdout);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ stdout, code })));
}

const events = ({ stdout }: Ended) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);

/** Sends each signal once, when its words have been written. */
function signalsAfter(...pairs: readonly (readonly [words: string, signal: NodeJS.Signals])[]) {
  let next = 0;
  return (child: ChildProcess, stdout: string) => {
    const pair = pairs[next];
    if (pair === undefined || !stdout.includes(pair[0])) return;
    next++;
    child.kill(pair[1]);
  };
}

describe('json', () => {
  it('is one event a line, the version first and the end last', async () => {
    const ended = await run(['--json']);
    const all = events(ended);
    expect(ended.code).toBe(0);
    expect(all[0]).toEqual({ type: 'version', format_version: '1.0', ftc: '0.1.0' });
    expect(all.filter(({ type }) => type === 'version')).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ type: 'run_finished', status: 'ok', exit_code: 0 });
    // 20 steps of sft and rm, 18 of a resumed ppo: none is dropped.
    expect(all.filter(({ type }) => type === 'step')).toHaveLength(58);
  });

  it('says null where a loss is not a number', async () => {
    const ended = await run(['--json'], { fail: 'diverge' });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('"metrics":{"loss":null}');
    expect(events(ended).at(-1)).toMatchObject({ status: 'failed', exit_code: 1 });
  });
});

describe('plain', () => {
  it('has no escape codes and at most one step line a second', async () => {
    const ended = await run(['--plain'], { stepMilliseconds: 40, steps: 20 });
    expect(ended.code).toBe(0);
    expect(ended.stdout).not.toContain('\u001b');
    // 58 steps of 40 ms take 2.3 s: the first second of each is worth a line, no more.
    const steps = ended.stdout.split('\n').filter((line) => / step \d+\/20 /.test(line));
    expect(steps.length).toBeGreaterThanOrEqual(2);
    expect(steps.length).toBeLessThanOrEqual(4);
    expect(ended.stdout).toContain('sft: done in ');
    expect(ended.stdout).toContain('warning: quick: only 12 rows are held out');
    expect(ended.stdout).toContain('before A cough. (quick, wrong)');
    expect(ended.stdout).toContain('after  A disease of the airways. (ppo, reward 1.400)');
    expect(ended.stdout).toContain('ftc generate r1 "…"');
  });

  it('is what a pipe gets without asking', async () => {
    const { stdout } = await run([]);
    expect(stdout.split('\n')[0]).toBe('medical: pretrain → sft → quick → gate → rm → ppo on cpu, run r1');
  });

  it('keeps to warnings and the end where quiet is wanted', async () => {
    const { stdout } = await run(['--plain', '--quiet']);
    expect(stdout.trim().split('\n')).toEqual([
      'warning: quick: only 12 rows are held out',
      expect.stringMatching(/^medical: ok after /),
    ]);
  });
});

describe('the exit code', () => {
  it('is 3 where a gate is not met, with the values', async () => {
    const { code, stdout } = await run(['--plain'], { fail: 'gate' });
    expect(code).toBe(3);
    expect(stdout).toContain('✗ quick.perplexity <= 40 (is 52.1)');
  });

  it.each([
    ['crash', 1, 'FTP6006', 'it crashed with SIGABRT'],
    ['throw', 1, 'FTP6006', 'it said: Error: a kernel is missing'],
    ['memory', 4, 'FTP4001', 'memory ran out'],
    ['early', 1, 'FTP6006', 'it left without a word, with exit code 9'],
  ] as const)('tells what happened when the engine dies (%s)', async (fail, exitCode, code, words) => {
    const ended = await run(['--plain'], { fail });
    expect(ended.code).toBe(exitCode);
    expect(ended.stdout).toContain(`error[${code}]`);
    expect(ended.stdout).toContain(words);
    expect(ended.stdout).toContain('ftc run medical.ftp');
    expect(ended.stdout).not.toMatch(/\n\s+at .*\(/);
    if (fail !== 'early') {
      expect(ended.stdout).toContain('in `sft` at step 7');
      expect(ended.stdout).toContain('at medical.ftp:13:5');
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s is %i, once the step is saved', async (signal, code) => {
    const during = signalsAfter(['"type":"step"', signal]);
    const ended = await run(['--json'], { stepMilliseconds: 30 }, { during });
    expect(ended.code).toBe(code);
    const [saved, last] = events(ended).slice(-2);
    expect(saved).toMatchObject({ type: 'checkpoint', stage: 'sft' });
    expect(last).toMatchObject({ type: 'run_finished', status: 'stopped', exit_code: code });
  });

  it('after a second signal comes at once, though the engine does not answer', async () => {
    const during = signalsAfter(['step 1/500', 'SIGINT'], ['finishing this step', 'SIGINT']);
    const ended = await run(['--plain'], { stepMilliseconds: 100, steps: 500, fail: 'deaf' }, { during });
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('finishing this step, saving… then go on with: ftc run medical.ftp');
    expect(ended.stdout).toContain('nothing saved yet');
  });

  it('is 141 where the reader of the lines has left', async () => {
    const ended = await run(
      ['--plain'],
      { stepMilliseconds: 30 },
      { during: (child) => child.stdout?.destroy() },
    );
    expect(ended.code).toBe(141);
  });
});

describe('in GitHub Actions', () => {
  const files = () => {
    const directory = temporaryDirectory();
    const [summary, outputs] = [join(directory, 'summary.md'), join(directory, 'outputs')];
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
    return {
      env,
      summary: () => readFileSync(summary, 'utf8'),
      outputs: () => readFileSync(outputs, 'utf8'),
    };
  };

  it('groups stages, annotates problems and writes the step summary by itself', async () => {
    const { env, summary, outputs } = files();
    const { stdout } = await run([], { fail: 'gate' }, { env });
    expect(stdout).toContain('::group::sft\n');
    expect(stdout).toContain('::warning title=quick::only 12 rows are held out');
    expect(stdout).toContain(
      '::error file=medical.ftp,line=15,col=5,title=FTP6004::the gate was not met: quick.perplexity <= 40',
    );
    expect(summary()).toContain('### medical: gate failed after');
    expect(summary()).toContain('| gate | quick.perplexity &lt;= 40 | 52.1 | ✗ |');
    expect(outputs()).toBe('run_id=r1\nstatus=gate_failed\ngate=failed\n');
  });

  it('leaves JSON lines alone', async () => {
    const { env, summary } = files();
    const ended = await run(['--json'], {}, { env });
    expect(events(ended).at(-1)).toMatchObject({ type: 'run_finished' });
    expect(summary()).toContain('### medical: ok after');
  });
});

describe('reports', () => {
  it('go to files beside the lines', async () => {
    const directory = temporaryDirectory();
    const at = (name: string) => join(directory, name);
    const words = [
      `--reporter=junit=${at('junit.xml')}`,
      `--reporter=json=${at('run.jsonl')}`,
      `--reporter=markdown=${at('run.md')}`,
    ];
    const { stdout, code } = await run(words, { fail: 'gate' });
    expect(code).toBe(3);
    expect(stdout).toContain('medical: pretrain → ');
    const junit = readFileSync(at('junit.xml'), 'utf8');
    expect(junit).toContain('<testsuites tests="6" failures="1" errors="0" skipped="2"');
    expect(junit).toContain('<failure message="gate not met">quick.perplexity &lt;= 40, is 52.1</failure>');
    expect(junit).toContain(
      'name="pretrain" file="medical.ftp" time="0.000">\n      <system-out>cached</system-out>',
    );
    expect(readFileSync(at('run.jsonl'), 'utf8').trim().split('\n').at(-1)).toContain(
      '"status":"gate_failed"',
    );
    expect(readFileSync(at('run.md'), 'utf8')).toContain('| sft | done |');
  });

  it('take stdout for themselves where they name no file', async () => {
    const { stdout } = await run(['--reporter=junit']);
    expect(stdout.startsWith('<?xml')).toBe(true);
    expect(stdout.trimEnd().endsWith('</testsuites>')).toBe(true);
  });
});
