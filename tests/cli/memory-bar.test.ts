/** The stacked bar of a stage's memory, and the command that draws it. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryBar } from '../../src/cli/memory-bar.ts';
import { plainStyle } from '../../src/cli/style.ts';
import { displayWidth } from '../../src/compiler/source/width.ts';
import type { Plan, PlannedMemory } from '../../src/runtime/run/plan-types.ts';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';
import { samplePlan } from './sample-plan.ts';

const MB = 1e6;
const parts = [
  { name: 'activations', bytes: 400 * MB },
  { name: 'packed weights', bytes: 250 * MB },
  { name: 'process', bytes: 150 * MB },
  { name: 'weights', bytes: 100 * MB },
  { name: 'optimizer state', bytes: 96 * MB },
  { name: 'gradients', bytes: 3 * MB },
  { name: 'constants', bytes: 1 * MB },
];

function planned(memory: Partial<PlannedMemory>, device?: number): Plan {
  const [first, second] = samplePlan.stages.filter(({ action }) => action !== 'cached');
  const whole = { parts, peak_bytes: 1000 * MB, fits: true, ...memory };
  const small = { parts: parts.slice(2, 3), peak_bytes: 150 * MB, fits: true };
  return {
    ...samplePlan,
    stages: [
      { ...first!, id: 'sft', action: 'run', peak_memory_bytes: 150 * MB, memory: small },
      { ...second!, id: '奖励', action: 'run', peak_memory_bytes: 1000 * MB, memory: whole },
    ],
    ...(device !== undefined && { device_memory_bytes: device }),
  };
}

const drawn = (plan: Plan, columns = 100) => memoryBar(plan, { style: plainStyle, columns });

describe('the bar', () => {
  it('stacks the parts of the stage that needs the most, as long as they are', () => {
    expect(drawn(planned({}, 100e9))).toEqual([
      '',
      '  memory  奖励 needs the most, 1 GB of 100 GB: fits',
      `    ${'█'.repeat(31)}${'▓'.repeat(19)}${'▒'.repeat(11)}${'░'.repeat(8)}${'='.repeat(7)}`,
      '    █ activations       400 MB  40 %    ░ weights           100 MB  10 %',
      '    ▓ packed weights    250 MB  25 %    = optimizer state    96 MB  10 %',
      '    ▒ process           150 MB  15 %    + other               4 MB   0 %',
    ]);
  });

  it('is as long as the device, where that is not much more', () => {
    const [, , bar] = drawn(planned({}, 2000 * MB));
    expect(bar).toMatch(/^ {4}█{15}▓{9,10}▒{5,6}░{3,4}={3,4}·{38}$/);
    expect(bar).toHaveLength(80);
  });

  it('marks where the device ends', () => {
    const lines = drawn(planned({ fits: false }, 750 * MB));
    expect(lines[1]).toBe('  memory  奖励 needs the most, 1 GB, and 750 MB are there: does not fit');
    expect(lines[3]).toBe(`${'750 MB are there ┘'.padStart(4 + 57)}`);
    expect(drawn(planned({ fits: false }, 50 * MB))[3]).toBe('       └ 50 MB are there');
  });

  it.each([40, 60, 80, 200])('fits %i columns, and never takes more than 80', (columns) => {
    for (const plan of [planned({}), planned({}, 2000 * MB), planned({ fits: false }, 600 * MB)]) {
      const [, , bar] = drawn(plan, columns);
      expect(displayWidth(bar!)).toBe(Math.min(columns, 80));
      if (columns >= 80)
        for (const line of drawn(plan, columns)) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    }
  });

  it('is left out where no stage computes', () => {
    expect(drawn(samplePlan)).toEqual([]);
  });
});

describe('ftc plan --memory', () => {
  const directory = temporaryDirectory();
  writeFiles(directory, {
    'tiny.ftp': 'pretrain(model=llama(layers=1 width=32 heads=2 context=32) vocabulary=300 max_steps=1)\n',
    'data/pretrain.txt': Array.from({ length: 60 }, (_, i) => `line ${i} of a text that is learned\n\n`).join(
      '',
    ),
  });
  const file = join(directory, 'tiny.ftp');

  it('ends with 4 where a stage does not fit, and says what to do', async () => {
    const { code, stdout, stderr } = await ftc(['plan', file, '--memory', '100 MB']);
    expect(code).toBe(4);
    expect(stdout).toContain('are there: does not fit');
    expect(stderr).toContain('FTP4001');
    expect(stderr).toMatch(/`pretrain` needs about \d+ MB of memory, and 100 MB are there/);
  });

  it('ends with 0 where all fit, and has the parts in its JSON', async () => {
    const { code, stdout } = await ftc(['plan', file, '--memory', '24GB', '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(stdout) as Plan;
    expect(plan.device_memory_bytes).toBe(24e9);
    const { memory, peak_memory_bytes } = plan.stages[0]!;
    expect(memory!.fits).toBe(true);
    expect(memory!.parts.reduce((n, { bytes }) => n + bytes, 0)).toBe(peak_memory_bytes);
  });

  it('counts two bytes a number for a device with numbers of 16 bits, the optimizer’s state apart', async () => {
    const { code, stdout } = await ftc(['plan', file, '--memory', '24GB', '--numbers', 'bf16', '--json']);
    expect(code).toBe(0);
    const { device_numbers, stages } = JSON.parse(stdout) as Plan;
    expect(device_numbers).toBe('bf16');
    const { total } = stages[0]!.parameters!;
    const parts = Object.fromEntries(stages[0]!.memory!.parts.map(({ name, bytes }) => [name, bytes]));
    expect(parts).toEqual({
      'trained weights': 2 * total,
      gradients: 2 * total,
      'optimizer state': 8 * total,
      activations: parts.activations,
    });
    const drawn = await ftc(['plan', file, '--numbers', 'bf16']);
    expect(drawn.stdout).toMatch(/memory {2}pretrain needs [\d.]+ MB in bf16 of [\d.]+ GB: fits/);
  });

  it('does not take another number format', async () => {
    const { code, stderr } = await ftc(['plan', file, '--numbers', 'int3']);
    expect(code).toBe(2);
    expect(stderr).toContain('it takes f32 or bf16');
  });

  it.each(['24', 'plenty', '24 apples'])('does not take `%s` for a size', async (size) => {
    const { code, stderr } = await ftc(['plan', file, '--memory', size]);
    expect(code).toBe(2);
    expect(stderr).toContain('write it with a unit: `--memory 24GB`');
  });
});
