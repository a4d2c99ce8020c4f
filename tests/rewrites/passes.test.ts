import { describe, expect, test } from 'vitest';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import { printProgram } from '../../src/runtime/programs/print.ts';
import { nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import { fitProgram } from '../../src/runtime/run/fit-program.ts';
import { peakBytes } from '../../src/runtime/run/plan-costs.ts';
import {
  finishProgram,
  type PassRun,
  programPasses,
  runPasses,
} from '../../src/runtime/run/program-passes.ts';
import { createTrainer } from '../../src/runtime/run/trainer.ts';
import type { Policy, Treatment } from '../../src/runtime/stages/stage.ts';
import { applied, bareStep, families, feedsOf } from './tiny-models.ts';

const model = families[0]!;
const method = applied(lora, model, { r: 2, targets: ['q'], dropout: 0.5 });
const treatment: Treatment = { adapt: method, dropout: true, trainable: method.trainable };
const bare = bareStep(model, lora);

describe('the list of passes', () => {
  test('has the same names in the same order for every program', () => {
    const names = (one?: Treatment) => programPasses(() => bare, one).map(({ name }) => name);
    expect(names()).toEqual([
      'build',
      'adapt',
      'quantize',
      'differentiate',
      'normalizeOnce',
      'recompute',
      'eightBitProducts',
      'dropMarkers',
      'foldConstants',
      'simplify',
      'share',
      'sumThroughProduct',
      'rowScales',
      'simplify:2',
      'foldConstants:2',
      'share:2',
      'bundleReaders',
    ]);
    expect(names({ ...treatment, recompute: 'blocks' })).toEqual(names());
  });

  test('tells of every pass what it made from what', () => {
    const runs: PassRun[] = [];
    const program = runPasses(
      programPasses(() => bare, treatment),
      { verify: true, observe: (run) => runs.push(run) },
    );
    expect(runs[0]!.before).toBeUndefined();
    expect(runs[0]!.after).toBe(bare);
    for (const [i, { before }] of runs.entries()) if (i > 0) expect(before).toBe(runs[i - 1]!.after);
    expect(runs.at(-1)!.after).toBe(program);
    const reads = (name: string) => (run: PassRun) => printProgram(run.after).includes(name);
    expect(runs.map(reads('q_proj.lora_A'))).toEqual([false, ...runs.slice(1).map(() => true)]);
    expect(runs.map(reads('dropout.'))).toEqual([false, ...runs.slice(1).map(() => true)]);
    expect(runs.map(reads('grad:')).indexOf(true)).toBe(3);
  });

  test('leaves a program without any wish as its rewrites make it', () => {
    const outputs = [...finishProgram(() => bare).outputs.keys()];
    expect(outputs).toEqual(['loss', 'correct', 'entropy']);
  });

  test('names the pass that breaks a promise, its own or that of every program', () => {
    const run = (pass: ReturnType<typeof programPasses>[number]) => () => runPasses([pass], { verify: true });
    const x = b.input('x', 'f32', [2]);
    const marked = b.program('marked', { y: b.stopGradient(x) });
    const dropMarkers = programPasses().find(({ name }) => name === 'dropMarkers')!;
    expect(run({ ...dropMarkers, run: () => marked })).toThrow(
      'the pass `dropMarkers` broke its promise: there is still a stopGradient',
    );
    const wrong = { ...b.add(x, x), shape: [3] } as ReturnType<typeof b.add>;
    const build = programPasses(() => b.program('wrong', { y: wrong }))[0]!;
    expect(run(build)).toThrow(
      'after the pass `build`: program wrong: add says f32(3), its operands make f32(2)',
    );
    expect(() => runPasses([build], { verify: false })).not.toThrow();
  });
});

test('the trainer loads what the passes make: with masks to train, without to measure', async () => {
  const loaded: Program[] = [];
  const feeds = feedsOf(finishProgram(() => bare, treatment));
  const trainable = new Map(method.trainable.map((name) => [name, feeds.get(name)!]));
  const trainer = createTrainer(
    {
      model: { policy: {} as Policy, method, trainable, frozen: feeds },
      program: () => bare,
    },
    {
      optimizer: adamw({}),
      clip: 1,
      seed: 1,
      recompute: 'blocks',
      load: (program, frozen) => {
        loaded.push(program);
        return reference.load(program, { frozen });
      },
    },
  );
  const batch = {
    key: '',
    feeds: new Map([...feeds].filter(([name]) => /^(ids|labels|weights)$/.test(name))),
  };
  const { gradients } = await trainer.accumulate([batch], 0);
  expect([...gradients.keys()]).toEqual([...trainable.keys()]);
  await trainer.evaluate([batch]);
  await trainer.dispose();
  const expected = [{ ...treatment, recompute: 'blocks' } as const, { adapt: method }];
  expect(loaded.map(printProgram)).toEqual(
    expected.map((one) => printProgram(finishProgram(() => bare, one))),
  );
});

describe('recompute=auto', () => {
  const work = { program: bare, ...treatment, besides: 1000 };
  const repeats = (program: Program) => nodesOf(program).some(({ op }) => op === 'after');
  const kept = fitProgram(work, 'none').program;
  const needed = peakBytes(kept, work);

  test('keeps what fits into four fifths of what is free, and computes again what does not', () => {
    expect(fitProgram(work, 'auto', needed / 0.8 + 10)).toMatchObject({ recompute: 'none' });
    const tight = fitProgram(work, 'auto', needed / 0.8 - 10);
    expect(tight.recompute).toBe('blocks');
    expect(repeats(tight.program)).toBe(true);
    expect(repeats(kept)).toBe(false);
    expect(repeats(fitProgram(work, 'blocks').program)).toBe(true);
  });

  test('never where nothing is trained', () => {
    const { trainable: _, ...measuring } = work;
    expect(fitProgram(measuring, 'auto', 1).recompute).toBe('none');
  });
});
