/** One stage of a tiny pipeline on the real engine's pieces, with what it loads and saves in view. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../src/compiler/compile.ts';
import { catalog, stages } from '../../src/runtime/catalog.ts';
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { type JobSettings, jobContext } from '../../src/runtime/run/context.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { PolicyLoader } from '../../src/runtime/run/policies.ts';
import type { TrainedModel } from '../../src/runtime/stages/stage.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { Said, type Workshop } from '../run/workshop.ts';

interface Loaded {
  readonly program: Program;
  readonly frozen: ReadonlyMap<string, Tensor>;
  disposed: boolean;
}

export interface Bench {
  readonly said: Said;
  /** Every program that was loaded. */
  readonly loaded: readonly Loaded[];
  /** The model as it was when the stage saved it. */
  readonly saved: TrainedModel | undefined;
  /** Slot → directory with what it wrote. */
  readonly written: ReadonlyMap<string, string>;
  readonly loader: PolicyLoader;
  /** Where its checkpoints would lie, and the names of what lay there at its first step. */
  readonly work: string;
  readonly files: readonly string[];
  /** Hash of an earlier stage's artifact, `sft.policy`. */
  readonly artifacts: Readonly<Record<string, string>>;
}

/** Runs what comes before `stage`, then the stage itself here. */
export async function runStage(
  shop: Workshop,
  stage: string,
  settings: Partial<Pick<JobSettings, 'mostBytesInMemory' | 'digests' | 'stopping'>> = {},
): Promise<Bench> {
  const { graph } = compile({ path: shop.file, text: shop.read('tiny.ftp') }, { catalog });
  const at = graph!.jobs.findIndex((job) => job.id === stage);
  const job = graph!.jobs[at]!;
  const before = at === 0 ? new Said([]) : await shop.run({ until: graph!.jobs[at - 1]!.id });
  const store = await openStore(shop.store, { write: false });
  const loader = new PolicyLoader((hash) => store.artifact(hash));
  const loaded: Loaded[] = [];
  const spy: Executable = {
    name: 'onnx',
    async load(program, options) {
      const executor = await onnx.load(program, options);
      const entry: Loaded = { program, frozen: options?.frozen ?? new Map(), disposed: false };
      loaded.push(entry);
      return {
        run: (feeds) => executor.run(feeds),
        async dispose() {
          entry.disposed = true;
          await executor.dispose();
        },
      };
    },
  };
  const events: RunEvent[] = [];
  let files: readonly string[] = [];
  const work = join(shop.directory, 'work');
  const output = join(shop.directory, 'output');
  for (const directory of [work, output]) mkdirSync(directory, { recursive: true });
  const { context, written, dispose } = jobContext({
    job,
    root: shop.directory,
    executable: spy,
    policies: loader,
    artifactOf: (slot) => {
      const input = job.inputs.find((i) => i.slot === slot);
      return input && before.artifacts[`${input.from}.${slot}`];
    },
    metricsOf: () => ({}),
    output,
    store: shop.store,
    work,
    emit(event) {
      if (event.type === 'step' && event.step === 1) files = readdirSync(work);
      events.push(event);
    },
    stopping: () => false,
    ...settings,
  });
  let saved: TrainedModel | undefined;
  try {
    await stages[job.kind]!.run({
      ...context,
      savePolicy: (model) => {
        saved = model;
        return context.savePolicy(model);
      },
      saveReward: (model, score) => {
        saved = model;
        return context.saveReward(model, score);
      },
    });
  } finally {
    await dispose();
  }
  const said = new Said(events);
  return { said, loaded, saved, written, loader, work, files, artifacts: before.artifacts };
}
