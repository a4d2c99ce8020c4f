/** A device with too little memory: said at the stage, with changes that were planned, not guessed. */
import { expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import type { Job } from '../../src/compiler/graph/graph.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { fixesFor } from '../../src/runtime/run/plan-fit.ts';
import { workshops } from './workshop.ts';

const workshop = workshops();
const base =
  'pretrain(model=llama(layers=6 width=128 heads=4 context=128) vocabulary=300 batch=1 max_steps=1)';
const written = (method: string, options = 'batch=32 recompute=none') =>
  `${base} → sft(${method}; data=jsonl("data/sft.jsonl") ${options} max_steps=1)`;
const plan = (text: string, memoryBytes: number) => workshop(text).plan(undefined, { memoryBytes });
const peakOf = async (text: string, memoryBytes: number) =>
  (await plan(text, memoryBytes)).stages.at(-1)!.peak_memory_bytes;

const PLENTY = 100e9;

test('every fix is what the plan says of a pipeline written that way', async () => {
  const needed = await peakOf(written('full'), PLENTY);
  const memoryBytes = Math.round(0.95 * needed);
  const { stages, diagnostics, device_memory_bytes } = await plan(written('full'), memoryBytes);
  expect(device_memory_bytes).toBe(memoryBytes);
  const { memory, action } = stages.at(-1)!;
  expect(action).toBe('run');
  expect(memory).toMatchObject({ fits: false });
  const fixes = memory!.fixes!;
  const options: Readonly<Record<string, string>> = {
    lora: written('lora'),
    qlora: written('qlora'),
    'recompute=blocks': written('full', 'batch=32 recompute=blocks'),
    'optimizer=paged_adamw': written('full', 'batch=32 recompute=none optimizer=paged_adamw'),
  };
  for (const { change, peak_bytes, fits } of fixes) {
    const [batch, accumulate] = /^batch=(\d+) accumulate=(\d+)$/.exec(change)?.slice(1) ?? [];
    const text = batch
      ? written('full', `batch=${batch} accumulate=${accumulate} recompute=none`)
      : options[change];
    expect(text, change).toBeDefined();
    expect(await peakOf(text!, PLENTY), change).toBe(peak_bytes);
    expect(fits).toBe(peak_bytes <= memoryBytes);
    expect(peak_bytes).toBeLessThan(needed);
  }
  expect(fixes.filter(({ fits }) => fits).length).toBeGreaterThan(0);
  expect(fixes.map(({ fits }) => fits)).toEqual(fixes.map(({ fits }) => fits).toSorted((a, b) => +b - +a));
  expect(fixes.map(({ change }) => change)).toContain('batch=16 accumulate=2');
  const found = diagnostics.find(({ stage }) => stage === 'sft')!;
  expect(found).toMatchObject({ severity: 'error', code: 'FTP4001', span: { line: 1 } });
  expect(found.notes[0]).toMatch(/^most of it: \S.* MB, \S.* MB, \S.* MB$/);
  expect(found.help).toHaveLength(fixes.length);
  expect(found.help[0]).toMatch(/^with `.*` it needs [\d.]+ MB and fits$/);
});

test.each([
  ['', 'qlora', ''],
  // It would do nothing beside qlora.
  [' precision=int8', 'qlora precision=f32', ' precision=f32'],
])('from lora%s to %s: with the defaults of qlora', async (more, change, after) => {
  const wide = (text: string) => text.replace('layers=6 width=128', 'layers=2 width=512');
  const { stages } = await plan(wide(written('lora r=2', `batch=2 recompute=none${more}`)), 1e6);
  const fix = stages.at(-1)!.memory!.fixes!.find((one) => one.change === change)!;
  expect(fix.peak_bytes).toBe(
    await peakOf(wide(written('qlora r=2', `batch=2 recompute=none${after}`)), PLENTY),
  );
});

test('where no change is enough, several together', async () => {
  const alone = await plan(written('full'), 1e6);
  const { fixes } = alone.stages.at(-1)!.memory!;
  expect(fixes!.every(({ fits }) => !fits)).toBe(true);
  const smallest = fixes!.at(-1)!;
  expect(smallest.change).toMatch(/^lora .*batch=\d+ accumulate=\d+$/);
  expect(smallest.peak_bytes).toBe(Math.min(...fixes!.map(({ peak_bytes }) => peak_bytes)));
  const help = alone.diagnostics.at(-1)!.help;
  expect(help.every((text) => text.endsWith('which is still too much'))).toBe(true);
});

test('one row at a time: what saves something beside the others, all of it together', async () => {
  const { graph } = compile({ path: 'a.ftp', text: written('full', 'batch=1 recompute=none') }, { catalog });
  const job = graph!.jobs.at(-1)!;
  /** Paging pays where all is trained alone. */
  const replan = async ({ method, options }: Job) => {
    const paged = options.optimizer === 'paged_adamw' ? (method!.name === 'full' ? -30 : 1) : 0;
    const repeated = options.recompute === 'blocks' ? -10 : 0;
    return { parts: [], peakBytes: { full: 100, lora: 60, qlora: 50 }[method!.name]! + paged + repeated };
  };
  const fixes = await fixesFor(job, { memory: await replan(job), memoryBytes: 30, replan });
  expect(fixes).toEqual(
    Object.entries({
      'recompute=blocks': 90,
      'optimizer=paged_adamw': 70,
      lora: 60,
      qlora: 50,
      'qlora recompute=blocks': 40,
    }).map(([change, peak_bytes]) => ({ change, peak_bytes, fits: false })),
  );
});

test('where next to nothing is left to save, the least that was found, with its number', async () => {
  const { graph } = compile(
    { path: 'a.ftp', text: written('full', 'batch=4 recompute=blocks') },
    { catalog },
  );
  const job = graph!.jobs.at(-1)!;
  /** Adding up the gradients of several batches takes more than it saves. */
  const replan = async ({ method, options }: Job) => ({
    parts: [],
    peakBytes: (method!.name === 'lora' ? 990 : 1000) + 50 * (Number(options.accumulate) - 1),
  });
  const memory = await replan(job);
  expect(await fixesFor(job, { memory, memoryBytes: 900, replan })).toEqual([
    { change: 'lora', peak_bytes: 990, fits: false },
  ]);
  // However little it is, where it is enough.
  expect(await fixesFor(job, { memory, memoryBytes: 995, replan })).toEqual([
    { change: 'lora', peak_bytes: 990, fits: true },
  ]);
});

test('where the stage makes the model, a shorter context at last, each as it would be planned', async () => {
  const making = (options: string, context = 256) =>
    `pretrain(full; model=llama(layers=2 width=64 heads=4 context=${context}) vocabulary=300 max_steps=1 recompute=blocks ${options})`;
  const fixesOf = async (memoryBytes: number) =>
    (await plan(making('batch=1'), memoryBytes)).stages[0]!.memory!.fixes!;
  const [short, shortest] = [
    await peakOf(making('batch=1', 128), PLENTY),
    await peakOf(making('batch=1', 32), PLENTY),
  ];
  const [first, ...others] = await fixesOf(short);
  expect(first).toEqual({ change: 'context=128', peak_bytes: short, fits: true });
  expect(others.every(({ fits }) => !fits)).toBe(true);
  const least = (await fixesOf(1e6)).at(-1)!;
  expect(least.change).toMatch(/context=32$/);
  expect(least.peak_bytes).toBeLessThanOrEqual(shortest);
});

test('a stage with a result needs no memory; one that samples gets fewer rows', async () => {
  const shop = workshop(`${base} → eval(data=jsonl("data/sft.jsonl") split=all batch=32 max_new_tokens=64)`);
  await shop.run({ until: 'pretrain' });
  const roomy = await shop.plan(undefined, { memoryBytes: PLENTY });
  const memoryBytes = Math.round(0.95 * roomy.stages[1]!.peak_memory_bytes);
  const { diagnostics, stages } = await shop.plan(undefined, { memoryBytes });
  expect(diagnostics.map(({ stage }) => stage)).toEqual(['eval']);
  const { fixes } = stages[1]!.memory!;
  expect(fixes!.map(({ change, fits }) => [change.replace(/\d+/, 'n'), fits])).toEqual([['batch=n', true]]);
});
