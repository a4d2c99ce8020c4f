import { describe, expect, it } from 'vitest';
import { lineDiff } from '../../src/cli/line-diff.ts';
import { planTable } from '../../src/cli/plan-table.ts';
import { planMarkdown } from '../../src/cli/reporters/markdown.ts';
import { parseSavedPlan, saveablePlan, whatIsStale } from '../../src/cli/saved-plan.ts';
import { plainStyle } from '../../src/cli/style.ts';
import { displayWidth } from '../../src/compiler/source/width.ts';
import type { Plan } from '../../src/runtime/run/plan-types.ts';
import { samplePlan } from './sample-plan.ts';

describe('the table of a plan', () => {
  const text = planTable(samplePlan, { style: plainStyle, columns: 100 });

  it('says what would run and why, what it costs, and every default', () => {
    expect(text).toMatchSnapshot();
  });

  it('keeps its columns under Chinese names', () => {
    const costs = text.slice(0, text.indexOf('  defaults'));
    const rows = costs.split('\n').filter((line) => /^ {4}(pretrain|sft|quick|奖励|ppo|to run) /.test(line));
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => displayWidth(row))).size).toBe(1);
  });

  it('says when nothing is to run', () => {
    const stages = samplePlan.stages.slice(0, 1);
    const cached: Plan = {
      ...samplePlan,
      has_changes: false,
      stages,
      totals: { ...samplePlan.totals, stages_to_run: 0 },
    };
    expect(planTable(cached, { style: plainStyle, columns: 80 }).split('\n')[0]).toBe(
      'medical: nothing to run, 1 cached',
    );
  });

  it('is a table in Markdown too', () => {
    expect(planMarkdown(samplePlan)).toContain(
      '| sft | run | lr 0.0001 → 0.0002 (medical.ftp:13) | 16.4k of 3.43M | 120 | 246k | 410 MB | 21s – 40s |',
    );
  });
});

describe('a saved plan', () => {
  const source = { file: 'medical.ftp', set: [], device: 'auto' };
  const saved = saveablePlan(samplePlan, source);
  const withStage = (index: number, change: object): Plan => ({
    ...samplePlan,
    stages: samplePlan.stages.map((stage, i) => (i === index ? { ...stage, ...change } : stage)),
  });

  it('is read back as it was', () => {
    expect(parseSavedPlan(JSON.stringify(saved))).toEqual(saved);
  });

  it.each([
    ['{', 'it is not JSON'],
    ['null', 'it holds no object'],
    ['{"a":1}', 'it has no `format_version`'],
    ['{"format_version":"2.0"}', 'it has format 2.0, and this ftc reads 1'],
    [JSON.stringify(samplePlan), 'it was not written by `ftc plan --out`'],
  ])('is not %s', (text, why) => {
    expect(parseSavedPlan(text)).toBe(why);
  });

  it('is stale once a key differs or a cached result is gone, and not because a stage has run since', () => {
    expect(whatIsStale(saved, samplePlan)).toEqual([]);
    expect(whatIsStale(saved, withStage(1, { action: 'cached', reason: 'unchanged' }))).toEqual([]);
    expect(whatIsStale(saved, withStage(1, { key: 'sha256:other', reason: 'lr 1 → 2' }))).toEqual([
      '`sft` changed: lr 1 → 2',
    ]);
    expect(whatIsStale(saved, withStage(0, { action: 'run' }))).toEqual([
      '`pretrain` was cached and its result is gone',
    ]);
    const shorter = { ...samplePlan, stages: samplePlan.stages.slice(0, 1) };
    expect(whatIsStale(saved, shorter)).toEqual([
      'the stages were pretrain → sft → quick → 奖励 → ppo and are pretrain',
    ]);
  });
});

describe('a difference by lines', () => {
  it('shows hunks with three lines around them', () => {
    const before = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`);
    const after = before.with(1, 'changed').toSpliced(15, 1);
    expect(lineDiff(before.join('\n'), after.join('\n'), 'm.ftp', plainStyle).split('\n')).toEqual([
      '--- m.ftp',
      '+++ m.ftp (formatted)',
      '@@ -1,5 +1,5 @@',
      ' line 1',
      '-line 2',
      '+changed',
      ' line 3',
      ' line 4',
      ' line 5',
      '@@ -13,7 +13,6 @@',
      ' line 13',
      ' line 14',
      ' line 15',
      '-line 16',
      ' line 17',
      ' line 18',
      ' line 19',
    ]);
  });

  it('is empty where nothing differs', () => {
    expect(lineDiff('a\nb', 'a\nb', 'm.ftp', plainStyle)).toBe('');
  });
});
