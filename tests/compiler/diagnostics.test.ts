import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { optionsSchema } from '../../src/compiler/checked/validate.ts';
import { compile } from '../../src/compiler/compile.ts';
import { applyFixes } from '../../src/compiler/diagnostics/apply-fixes.ts';
import { diagnose, exitCodeOf } from '../../src/compiler/diagnostics/diagnostic.ts';
import { editDistance, nearest } from '../../src/compiler/diagnostics/nearest.ts';
import { renderJson } from '../../src/compiler/diagnostics/render-json.ts';
import { renderText } from '../../src/compiler/diagnostics/render-text.ts';
import { docs, documentedNames } from '../../src/compiler/docs.ts';
import { decodeSource, undecodable } from '../../src/compiler/source/source-file.ts';
import { displayWidth } from '../../src/compiler/source/width.ts';
import { fixture } from './fixture-catalog.ts';

const check = (text: string) => compile({ path: 'x.ftp', text }, { catalog: fixture });

describe('nearest names', () => {
  it('counts insertions, deletions, substitutions and swaps of code points', () => {
    const distance = (a: string, b: string): number => editDistance([...a], [...b]);
    expect(distance('target', 'targets')).toBe(1);
    expect(distance('lroa', 'lora')).toBe(1);
    expect(distance('kitten', 'sitting')).toBe(3);
    expect(distance('𠀀a', '𠀁a')).toBe(1);
    expect(distance('', 'abc')).toBe(3);
  });

  it('stay within a third of the length', () => {
    expect(nearest('max_step', ['max_steps', 'steps'])).toBe('max_steps');
    expect(nearest('abcdef', ['abxyef'])).toBe('abxyef');
    expect(nearest('abcdef', ['abxyzf'])).toBeUndefined();
    expect(nearest('z', ['q', 'v'])).toBeUndefined();
    expect(nearest('SFT', ['sft'])).toBe('sft');
    expect(nearest('рро', ['sft', 'ppo'])).toBe('ppo');
  });
});

describe('fixes', () => {
  it('mend everything that is beyond doubt', () => {
    let text =
      'pretrain(tokens=2000kk) sft(lroa r="8" target=q,v; shedule=cosin) | rm(shuffle=off)\nlet a = 1 let b = 2';
    for (let round = 0; round < 6; round++)
      text = applyFixes({ path: 'x.ftp', text }, check(text).diagnostics).text;
    expect(text).toBe(
      'pretrain(tokens=2000k) → sft(lora r=8 targets=q,v; schedule=cosine) → rm(shuffle=no)\nlet a = 1 \nlet b = 2',
    );
    expect(check(text).diagnostics).toEqual([]);
  });

  it('mend both of a pair of curly quotes', () => {
    const text = 'data a = text(“notes 医.txt”)\ndata b = text(‘b.txt’)';
    const mended = 'data a = text("notes 医.txt")\ndata b = text(\'b.txt\')';
    expect(applyFixes({ path: 'x.ftp', text }, check(text).diagnostics).text).toBe(mended);
  });

  it('do not overlap', () => {
    const span = { file: 'x.ftp', start: 0, end: 3, line: 1, column: 1 };
    const one = diagnose('unknown-stage', { name: 'stf', kind: 'stage', legal: ['sft'] }, { span });
    expect(applyFixes({ path: 'x.ftp', text: 'stf' }, [one, one])).toEqual({ text: 'sft', applied: 1 });
    expect(applyFixes({ path: 'y.ftp', text: 'stf' }, [one])).toEqual({ text: 'stf', applied: 0 });
  });
});

describe('rendering', () => {
  it('counts columns as a terminal does', () => {
    expect(displayWidth('问诊a')).toBe(5);
    expect(displayWidth('e\u0301（')).toBe(3);
    const { diagnostics, sources } = check('pretrain → 医: sft(目标=1)');
    const [, , source, carets] = renderText(diagnostics, { sources }).split('\n');
    expect(displayWidth(source!.slice(0, source!.indexOf('目')))).toBe(carets!.indexOf('^'));
  });

  it('colours only where it is wanted', () => {
    const { diagnostics, sources } = check('stf');
    expect(renderText(diagnostics, { sources })).not.toContain('\u001B');
    expect(renderText(diagnostics, { sources, color: true })).toContain(
      '\u001B[1;31merror[FTP2001 unknown-stage]\u001B[0m',
    );
  });

  it('keeps source lines within the screen', () => {
    const { diagnostics, sources } = check(
      `pretrain(data=text("${'x'.repeat(300)}")) → sft(target=1) → rm(data=jsonl("${'y'.repeat(300)}"))`,
    );
    const lines = renderText(diagnostics, { sources, columns: 80 })
      .split('\n')
      .filter((line) => line.includes('│'));
    expect(lines.length).toBe(2);
    expect(lines.every((line) => displayWidth(line) <= 110)).toBe(true);
    expect(displayWidth(lines[0]!)).toBeLessThanOrEqual(80);
    expect(lines[0]!.slice(lines[1]!.indexOf('^')).startsWith('target')).toBe(true);
  });

  it('gives programs the same as JSON', () => {
    expect(JSON.parse(renderJson(check('pretrain → sft(lora target=q)').diagnostics))).toEqual({
      format_version: '1.0',
      diagnostics: [
        {
          code: 'FTP2003',
          name: 'unknown-param',
          severity: 'error',
          message: '`lora` has no parameter `target`',
          file: 'x.ftp',
          line: 1,
          column: 21,
          start: 20,
          end: 26,
          label: 'not a parameter of `lora`',
          related: [{ file: 'x.ftp', line: 1, column: 16, start: 15, end: 19, label: 'method opened here' }],
          notes: ['parameters of `lora`: r alpha dropout targets'],
          help: ['did you mean `targets`?'],
          fix: [{ file: 'x.ftp', line: 1, column: 21, start: 20, end: 26, text: 'targets' }],
          docs: 'ftc explain FTP2003',
        },
      ],
    });
  });

  it('counts columns in code points, beyond the first plane as well', () => {
    const { diagnostics } = check('pretrain → 𠀀𠀁: stf');
    expect(diagnostics[0]!.span).toMatchObject({ line: 1, column: 16, start: 17 });
  });
});

describe('exit codes', () => {
  it('are those of the first error', () => {
    expect(exitCodeOf([])).toBe(0);
    expect(exitCodeOf(check('stf').diagnostics)).toBe(1);
    expect(exitCodeOf([diagnose('reporter-failed', { name: 'junit', why: 'disk full' })])).toBe(0);
    expect(
      exitCodeOf([diagnose('not-enough-memory', { stage: 'sft', neededBytes: 9e9, availableBytes: 4e9 })]),
    ).toBe(4);
    expect(
      exitCodeOf([
        diagnose('gate-not-met', { gate: 'gate', conditions: [{ text: 'a.loss < 1', value: 2 }] }),
      ]),
    ).toBe(3);
    expect(exitCodeOf([diagnose('store-in-use', { path: '.ftc', owner: 'run 7' })])).toBe(5);
    expect(exitCodeOf([diagnose('internal', { what: 'x' })])).toBe(70);
  });
});

describe('sources', () => {
  it('are UTF-8, with or without a byte order mark', () => {
    expect(decodeSource('x.ftp', new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toEqual({
      path: 'x.ftp',
      text: 'a',
    });
    expect(decodeSource('x.ftp', new Uint8Array([0x61, 0xff]))).toBeUndefined();
    const bytes = Uint8Array.of(...new TextEncoder().encode('# 医\na 疗'), 0xe9, 0x0a);
    expect(undecodable('x.ftp', bytes)).toEqual({
      span: { file: 'x.ftp', start: 7, end: 7, line: 2, column: 4 },
      utf16: false,
    });
    expect(undecodable('x.ftp', Uint8Array.of(0xff, 0xfe, 0x61, 0))).toMatchObject({
      span: { line: 1, column: 1 },
      utf16: true,
    });
  });

  it('of ten megabytes of noise are refused in time, with few words', () => {
    let state = 1;
    const noise = Array.from({ length: 10_000_000 }, () =>
      String.fromCharCode(32 + ((state = (state * 48271) % 2147483647) % 95)),
    ).join('');
    for (const text of [
      noise,
      noise.slice(0, 990_000),
      noise.slice(0, 990_000).replaceAll('"', '(').replaceAll('#', '→'),
      'a = ) → \n'.repeat(20_000),
    ]) {
      const start = performance.now();
      const { diagnostics } = check(text);
      expect(diagnostics.length).toBeGreaterThan(0);
      expect(diagnostics.length).toBeLessThan(400);
      expect(performance.now() - start).toBeLessThan(20_000);
    }
  });
});

describe('option schemas', () => {
  it('are strict JSON Schema, and accept their own defaults', () => {
    const ajv = new Ajv({ strict: true, strictTypes: false });
    const { stages, methods, models, sources, operators } = fixture;
    for (const table of [stages, methods, models, sources, operators]) {
      for (const entry of Object.values(table)) {
        const defaults = Object.entries(entry.options).filter(
          ([, { refers, default: value }]) => refers === undefined && value !== undefined,
        );
        const isValid = ajv.compile(optionsSchema(entry));
        expect(isValid(Object.fromEntries(defaults.map(([name, { default: value }]) => [name, value])))).toBe(
          true,
        );
        expect(isValid({ nothing: 1 })).toBe(false);
      }
    }
  });
});

describe('docs', () => {
  it('list everything, and describe each', () => {
    const all = docs(undefined, fixture)!;
    for (const name of documentedNames(fixture)) {
      expect(all).toContain(`  ${name} `);
      expect(docs(name, fixture)).toContain(`${name}: `);
    }
    expect(docs('nothing', fixture)).toBeUndefined();
    expect(docs('toString', fixture)).toBeUndefined();
  });

  it('show types, bounds, units, defaults', () => {
    const text = docs('sft', fixture)!;
    expect(text).toMatch(/ {2}lr +number > 0 ≤ 1 \[%\] +0\.001 +highest learning rate/);
    expect(text).toMatch(/ {2}seed +whole number +\$seed, else 0 +seed/);
    expect(text).toMatch(/ {2}schedule +constant\|linear\|cosine\|wsd +cosine/);
    expect(text).toContain('methods: full (default), freeze, lora, qlora');
    expect(docs('lora', fixture)).toContain('used by: sft, rm, ppo');
    expect(docs('export', fixture)).toMatch(/ {2}to +text +required +directory/);
  });
});
