import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { commands } from '../../src/cli/commands.ts';
import { formatBytes, formatMetric, formatSeconds, formatShortCount } from '../../src/cli/format-numbers.ts';
import { annotationLine, annotationLines } from '../../src/cli/reporters/github-commands.ts';
import { parseReporters } from '../../src/cli/reporters/reporter-request.ts';
import { resumeCommand, storeFlag } from '../../src/cli/resume-command.ts';
import { wantsColor } from '../../src/cli/style.ts';
import { drawCurve, resample } from '../../src/cli/terminal/braille.ts';

const command = (name: string) => commands.find((one) => one.name === name)!;
const parse = (name: string, ...words: string[]) => parseArguments(command(name), words);

describe('arguments', () => {
  it('are flags with values, repeated where they may be, and positionals', () => {
    const given = parse('run', 'medical.ftp', '--set', 'lr=1', '--set=seed=2', '-p', 'main', '--json');
    expect(given.positionals).toEqual(['medical.ftp']);
    expect(given.values('set')).toEqual(['lr=1', 'seed=2']);
    expect(given.value('pipeline')).toBe('main');
    expect([given.has('json'), given.has('plain')]).toEqual([true, false]);
  });

  it.each([
    [['run', 'a', '--jsn'], '`ftc run` has no flag `--jsn`', 'did you mean `--json`?'],
    [['run', 'a', '--store', '--json'], '`--store` needs a value', 'write --store DIR'],
    [['run', 'a', '--store'], '`--store` needs a value', 'write --store DIR'],
    [['run', 'a', '--json=yes'], '`--json` takes no value', undefined],
    [['run', 'a', '--device', 'cpu', '--device', 'x'], '`--device` is given twice', undefined],
    [['run'], '`ftc run` needs FILE|PLAN', 'ftc run FILE|PLAN'],
    [['run', 'a', 'b'], '`ftc run` does not take `b`', 'ftc run FILE|PLAN'],
    [['why', 'a'], '`ftc why` needs FILE STAGE', 'ftc why FILE STAGE'],
  ])('%j are wrong: %s', ([name, ...words], message, help) => {
    expect(() => parse(name!, ...words)).toThrow(
      expect.objectContaining({ name: 'UsageError', message, help }),
    );
  });

  it('are numbers in their range', () => {
    const given = parse(
      'generate',
      'm',
      'p',
      '--temperature',
      '0.5',
      '--max-tokens',
      '2.5',
      '--top-p',
      '7',
      '--seed',
      'x',
    );
    expect(given.number('temperature', { least: 0 })).toBe(0.5);
    expect(() => given.integer('max-tokens')).toThrow('`--max-tokens` needs a whole number, not `2.5`');
    expect(() => given.number('top-p', { most: 1 })).toThrow('`--top-p` must be at most 1, not 7');
    expect(() => given.integer('seed')).toThrow('`--seed` needs a number, not `x`');
  });

  it('give the command that goes on with a run', () => {
    const source = { file: 'my file.ftp', set: ["name='x'"], device: 'auto', store: 'd' };
    expect(resumeCommand({ ...source, from: 'rm', until: 'sft' })).toBe(
      `ftc run 'my file.ftp' --set 'name='\\''x'\\''' --store d --until sft`,
    );
    expect(resumeCommand({ ...source, set: [], device: 'cpu', only: 'sft' })).toBe(
      `ftc run 'my file.ftp' --device cpu --store d --only sft`,
    );
    expect([storeFlag('.ftc'), storeFlag('pipelines/.ftc')]).toEqual(['', ' --store pipelines/.ftc']);
  });

  it('name no flag twice within a command', () => {
    for (const { flags } of commands) {
      const names = flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short]));
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('reporters', () => {
  it('have a name and perhaps a file, and GitHub comes by itself', () => {
    expect(parseReporters(['junit=a=b.xml', 'markdown'], {})).toEqual([
      { name: 'junit', file: 'a=b.xml' },
      { name: 'markdown' },
    ]);
    expect(parseReporters(['json=x'], { GITHUB_ACTIONS: 'true' }).map(({ name }) => name)).toEqual([
      'json',
      'github',
    ]);
  });

  it('are refused where they are unknown or share stdout', () => {
    expect(() => parseReporters(['junt'], {})).toThrow(
      expect.objectContaining({ help: 'did you mean `junit`?' }),
    );
    expect(() => parseReporters(['json', 'junit'], {})).toThrow('json and junit cannot both write to stdout');
    expect(() => parseReporters(['json='], {})).toThrow('names no file');
  });

  it('escape what GitHub reads as its own', () => {
    const annotation = {
      level: 'error',
      title: 'a,b:c',
      message: '50%\nnext',
      file: 'a:b.ftp',
      line: 3,
      column: 5,
    } as const;
    expect(annotationLine(annotation)).toBe(
      '::error file=a%3Ab.ftp,line=3,col=5,title=a%2Cb%3Ac::50%25%0Anext',
    );
  });

  it('show ten annotations of a level at most, the last one with the number of the others', () => {
    const many = Array.from({ length: 14 }, () => ({ level: 'error', title: 't', message: 'm' }) as const);
    const lines = annotationLines([{ level: 'warning', title: 't', message: 'w' }, ...many]);
    expect(lines).toHaveLength(11);
    expect(lines[9]).toBe('::error title=ftc::5 more, see the log');
    expect(lines[10]).toBe('::warning title=t::w');
  });
});

describe('numbers for people', () => {
  it.each([
    [formatBytes(999), '999 B'],
    [formatBytes(1.25e9), '1.25 GB'],
    [formatBytes(999_999), '1 MB'],
    [formatShortCount(3_412_224), '3.41M'],
    [formatShortCount(999_950), '1M'],
    [formatSeconds(0.01), '0s'],
    [formatSeconds(12.44), '12.4s'],
    [formatSeconds(59.97), '1m 00s'],
    [formatSeconds(3599.6), '1h 00m'],
    [formatSeconds(7500), '2h 05m'],
    [formatMetric(0.0002), '2e-4'],
    [formatMetric(2.3456), '2.346'],
    [formatMetric(-12.345), '-12.3'],
    [formatMetric(245_760), '245,760'],
    [formatMetric(Number.NaN), 'NaN'],
  ])('%s', (written, expected) => expect(written).toBe(expected));
});

describe('colour', () => {
  it.each([
    ['always', false, { NO_COLOR: '1' }, true],
    ['never', true, {}, false],
    [undefined, true, {}, true],
    [undefined, true, { NO_COLOR: '1' }, false],
    [undefined, true, { TERM: 'dumb' }, false],
    ['auto', false, {}, false],
  ])('--color %s on a terminal: %s in %j is %s', (choice, tty, environment, wanted) => {
    expect(wantsColor(choice, tty, environment)).toBe(wanted);
  });
});

describe('a curve', () => {
  it('falls from the top left to the bottom right', () => {
    expect(drawCurve([3, 2, 1, 0], 2, 1)).toEqual(['⠑⢄']);
    expect(drawCurve([1, 0], 2, 2)).toEqual(['⠱⡀', '⠀⢣']);
  });

  it('joins steep steps and lays a constant in the middle', () => {
    expect(drawCurve([0, 0, 9, 9], 2, 1)).toEqual(['⣀⠏']);
    expect(drawCurve([5, 5], 1, 1)).toEqual(['⠒']);
    expect(drawCurve([], 2, 1)).toEqual(['⠀⠀']);
  });

  it('is resampled by means and by straight lines', () => {
    expect(resample([1, 3, 5, 7], 2)).toEqual([2, 6]);
    expect(resample([0, 1], 3)).toEqual([0, 0.5, 1]);
  });
});
