/** `ftc compile` on the programs of a stage: after any pass, and what the passes do. */
import { describe, expect, it } from 'vitest';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const cwd = temporaryDirectory({
  'tiny.ftp': [
    'data notes = text("notes.txt")',
    'data rows = jsonl("rows.jsonl")',
    'pretrain(model=llama(layers=1 width=8 heads=2 kv_heads=2 mlp=8 context=4) data=notes vocabulary=258)',
    '  → sft(lora r=2 targets=q,v; data=rows batch=1) → eval(data=rows)',
    '',
  ].join('\n'),
  'notes.txt': 'the quick brown fox jumps over the lazy dog\n',
  'rows.jsonl': `${JSON.stringify({ prompt: 'a', completion: 'b' })}\n`.repeat(20),
});
const compile = (...words: string[]) => ftc(['compile', 'tiny.ftp', ...words], { cwd });

describe('--after', () => {
  it('prints the program after a pass', async () => {
    const built = await compile('--emit', 'program', '--stage', 'sft', '--after', 'build');
    expect(built).toMatchObject({ code: 0, stderr: '' });
    expect(built.stdout).toMatch(/^program language-model\n/);
    expect(built.stdout).not.toContain('lora_A');
    const adapted = await compile('--stage', 'sft', '--after', 'adapt');
    expect(adapted.stdout).toContain('q_proj.lora_A.weight');
    expect(adapted.stdout).not.toContain('grad:');
    const last = await compile('--stage', 'sft', '--after', 'bundleReaders');
    expect(last.stdout).toContain('grad:base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight <- ');
    const whole = await compile('--emit', 'program', '--stage', 'sft');
    expect(whole.stdout.startsWith(last.stdout.trimEnd())).toBe(true);
    expect(await compile('--stage', 'sft', '--after', 'adapt')).toEqual(adapted);
  });

  it('follows the options of the stage', async () => {
    const recomputed = await compile(
      '--stage',
      'sft',
      '--after',
      'recompute',
      '--set',
      'sft.recompute=blocks',
    );
    expect(recomputed.stdout.match(/ = after /g)).toHaveLength(1);
    const kept = await compile('--stage', 'sft', '--after', 'recompute', '--set', 'sft.recompute=none');
    expect(kept.stdout).not.toContain(' = after ');
  });

  it.each([
    [
      ['--stage', 'sft', '--after', 'adpat'],
      'no pass is called `adpat`',
      'did you mean `--after adapt`? the passes are build, adapt',
    ],
    [
      ['--stage', 'sft', '--after', 'nonsense'],
      'no pass is called `nonsense`',
      '= help: the passes are build, adapt, quantize',
    ],
    [['--after', 'adapt'], 'shows one stage', '--stage pretrain|sft|eval'],
    [['--stage', 'sfd', '--after', 'adapt'], 'no stage `sfd`', 'did you mean `--stage sft`?'],
    [['--emit', 'graph', '--after', 'adapt'], '`--after` goes with `--emit program`', ''],
    [['--emit', 'onnx', '--passes'], '`--passes` goes with `--emit program`', ''],
    [['--stage', 'sft', '--passes', '--after', 'adapt'], '`--passes` lists all of them', ''],
    [['--emit', 'program', '--json'], '`--json` goes with `--emit graph` and with `--passes`', ''],
  ])('%j is a usage error', async (words, said, help) => {
    const ended = await compile(...words);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(said);
    expect(ended.stderr).toContain(help);
    expect(ended.stdout).toBe('');
  });
});

describe('--passes', () => {
  it('names the stages that train where one runs no program', async () => {
    writeFiles(cwd, {
      'gated.ftp':
        'data notes = text("notes.txt")\ndata rows = jsonl("rows.jsonl")\npretrain(model=llama(layers=1 width=8 heads=2 context=4) data=notes vocabulary=258) → sft(data=rows) → eval(data=rows split=all) → gate(eval.loss <= 100)\n',
    });
    const { code, stderr } = await ftc(['compile', 'gated.ftp', '--stage', 'gate', '--passes'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('`gate` runs no tensor program');
    expect(stderr).toContain('name one that trains: --stage pretrain|sft');
  });

  it('lists them with time, sizes before and after, and what each ensures', async () => {
    const { code, stdout } = await compile('--stage', 'sft', '--passes');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^pass +ms +nodes +parameters +weights +alive at once$/);
    expect(lines[1]).toMatch(/^build +– +\d+ +2,536 +10\.1 kB +[\d.]+ kB$/);
    expect(lines[2]).toMatch(/^adapt +[\d.]+ +(\d+) → \d+ +2,536 → 2,600 +10\.1 kB → 10\.4 kB +/);
    // Columns end where their headings do.
    expect(new Set(lines.slice(0, 15).map((line) => line.length)).size).toBe(1);
    expect(stdout).toContain('differentiate      every trained tensor that is read has a gradient\n');
  });

  it('as JSON: the same numbers, each pass going on from the one before', async () => {
    const { code, stdout } = await compile('--stage', 'sft', '--passes', '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ format_version: '1.0', stage: 'sft' });
    const { passes } = report;
    expect(passes[0]).not.toHaveProperty('before');
    expect(passes[1]).toMatchObject({
      name: 'adapt',
      before: { parameters: 2536 },
      after: { parameters: 2600 },
    });
    for (let i = 1; i < passes.length; i++) {
      expect(passes[i].before).toEqual(passes[i - 1].after);
      expect(passes[i].seconds).toBeGreaterThanOrEqual(0);
    }
    const differentiate = passes.find(({ name }: { name: string }) => name === 'differentiate');
    expect(differentiate.after.nodes).toBeGreaterThan(differentiate.before.nodes);
  });
});
