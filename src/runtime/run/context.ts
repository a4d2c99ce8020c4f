/** What a stage is given while it runs: artifacts in, data, programs, the loop, artifacts out. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DataExpression, Job } from '../../compiler/graph/graph.ts';
import { models } from '../catalog.ts';
import { changedFile } from '../data/digest-data.ts';
import { openData } from '../data/open-data.ts';
import type { Executable, Executor } from '../executables/executable.ts';
import { type ScheduleKind, scheduleFactor } from '../optimizers/schedule.ts';
import { methodBeside } from '../stages/parts/training.ts';
import {
  type EightBitTreatment,
  type Scratch,
  type StageContext,
  StageError,
  Stopped,
  type Trainer,
} from '../stages/stage.ts';
import { appliedMethod } from './applied-method.ts';
import { appliedOptimizer } from './applied-optimizer.ts';
import { checkpointDirectory } from './checkpoint-directory.ts';
import { eightBitLoader } from './eight-bit-loader.ts';
import type { Metrics, RunEvent } from './events.ts';
import { exportPolicy } from './export-policy.ts';
import { listExport } from './exported-files.ts';
import { recomputeOption } from './fit-program.ts';
import type { Lineage } from './lineage.ts';
import { loop } from './loop.ts';
import { writeModelLink } from './model-link.ts';
import { openExisting } from './open-existing.ts';
import { openPageFile } from './page-file.ts';
import type { PolicyLoader } from './policies.ts';
import { finishProgram } from './program-passes.ts';
import { savePolicy, saveReward } from './save-policy.ts';
import { openScratch } from './scratch.ts';
import { TokenFile } from './token-file.ts';
import { keepTrainedAnswers } from './trained-answers.ts';
import { createTrainer } from './trainer.ts';
import { withTemplate } from './with-template.ts';

export interface JobSettings {
  readonly job: Job;
  /** Directory of the pipeline file: what relative paths start from. */
  readonly root: string;
  readonly executable: Executable;
  readonly policies: PolicyLoader;
  /** Artifact hash that fills a slot of this job, if any. */
  readonly artifactOf: (slot: string) => string | undefined;
  readonly metricsOf: (job: string) => Metrics;
  /** How the model that reaches this job came to be; without it nothing is told of that. */
  readonly lineage?: () => Promise<Lineage>;
  /** Where this job's artifacts are written, one directory a slot. */
  readonly output: string;
  /** Directory of the store. */
  readonly store: string;
  /** Where its checkpoints live. */
  readonly work: string;
  /** Of the data that the job's key was made of, by option: rows of files that changed since are refused. */
  readonly digests?: Readonly<Record<string, string>>;
  /** Of each list of tokens that the stage reads again. Default: `MOST_BYTES_IN_MEMORY`. */
  readonly mostBytesInMemory?: number;
  readonly emit: (event: RunEvent) => void;
  readonly stopping: () => boolean;
}

/** The context, what it wrote by slot, and how to let go of everything it loaded. */
export interface JobContext {
  readonly context: StageContext;
  readonly written: ReadonlyMap<string, string>;
  /** What was decided while it ran, for people and for later plans. */
  decided(): readonly string[];
  dispose(): Promise<void>;
}

export function jobContext(settings: JobSettings): JobContext {
  const { job, emit } = settings;
  const executors = new Set<Executor>();
  const scratches: Pick<Scratch, 'close'>[] = [];
  const trainers: Trainer[] = [];
  const written = new Map<string, string>();
  const number = (name: string, otherwise = 0) => Number(job.options[name] ?? otherwise);

  const load: StageContext['load'] = async (program, frozen, treatment) => {
    const finish = (eightBit?: EightBitTreatment) => finishProgram(() => program, { ...treatment, eightBit });
    const executor =
      treatment?.eightBit && frozen
        ? eightBit.load(finish, treatment.eightBit, frozen)
        : await settings.executable.load(finish(), { ...(frozen && { frozen }) });
    const held: Executor = {
      run: (feeds) => executor.run(feeds),
      async dispose() {
        if (executors.delete(held)) await executor.dispose();
      },
    };
    executors.add(held);
    return held;
  };
  const eightBit = eightBitLoader({
    load: (program, options) => settings.executable.load(program, options),
    message: (level, text) => emit({ type: 'message', stage: job.id, level, text }),
  });
  const directoryFor = async (slot: string) => {
    const directory = join(settings.output, slot);
    await mkdir(directory, { recursive: true });
    written.set(slot, directory);
    return directory;
  };
  const base = () => settings.artifactOf('policy');
  /** Of all that was loaded; what is asked for after that is loaded anew. */
  const letGo = async () => {
    for (const trainer of trainers.splice(0)) await trainer.dispose();
    for (const executor of [...executors]) await executor.dispose();
  };

  const context: StageContext = {
    job,
    family: (name) => models[name]!,
    method: (policy) => methodBeside(policy, appliedMethod(job)(policy.family, policy.config)),
    policy: async () => withTemplate(await settings.policies.policy(base()!), job.template),
    reward: async () => {
      const hash = settings.artifactOf('reward');
      if (hash === undefined) return undefined;
      const reward = await settings.policies.reward(hash);
      return { ...withTemplate(reward, job.template), score: reward.score };
    },
    metricsOf: settings.metricsOf,
    async *rows(option, split) {
      const { root, digests } = settings;
      const expression = job.data[option]!;
      try {
        yield* openData(expression, { root, split });
      } finally {
        // Also where no more rows are asked for.
        await refuseChanged(expression, root, digests?.[option]);
      }
    },
    load,
    trainer(options) {
      const shapes = new Map([...options.model.trainable].map(([name, tensor]) => [name, tensor.shape]));
      const pages = join(settings.work, `optimizer-${trainers.length}.pages`);
      const trainer = createTrainer(options, {
        optimizer: appliedOptimizer(job, { shapes, openPages: (bytes) => openPageFile(pages, bytes) }),
        clip: number('clip'),
        seed: number('seed'),
        recompute: recomputeOption(job),
        eightBit: job.options.precision === 'int8' ? eightBit : undefined,
        load: (program, frozen) => settings.executable.load(program, { frozen }),
      });
      trainers.push(trainer);
      return trainer;
    },
    async scratch(bytes) {
      const scratch = await openScratch(join(settings.work, `scratch-${scratches.length}.pages`), bytes);
      scratches.push(scratch);
      return scratch;
    },
    tokens(limit) {
      const path = join(settings.work, `tokens-${scratches.length}.ids`);
      const tokens = new TokenFile(path, limit, settings.mostBytesInMemory);
      scratches.push(tokens);
      return tokens;
    },
    loop: (task) =>
      loop(task, {
        stage: job.id,
        evalEvery: number('eval_every'),
        saveEvery: number('save_every'),
        checkpoints: checkpointDirectory(settings.work),
        stopping: settings.stopping,
        emit,
      }),
    learningRate(step, steps) {
      const warmupSteps = Math.round(number('warmup') * steps);
      const kind = String(job.options.schedule ?? 'constant') as ScheduleKind;
      return number('lr') * scheduleFactor(step, { kind, steps, warmupSteps, minimum: number('final_lr') });
    },
    emit,
    message: (level, text) => emit({ type: 'message', stage: job.id, level, text }),
    samples: (step, samples) => emit({ type: 'samples', stage: job.id, step, samples }),
    checkStop() {
      if (settings.stopping()) throw new Stopped('stopped between two pieces of work');
    },
    async openModel() {
      const { root, stopping } = settings;
      const model = await openExisting({
        job,
        root,
        stopping,
        message: (text) => context.message('info', text),
      });
      // The tokenizer comes with the model.
      for (const slot of job.outputs.filter((each) => each !== 'tokenizer'))
        await writeModelLink(await directoryFor(slot), model, settings.store);
    },
    async savePolicy(model) {
      const directory = await directoryFor('policy');
      await savePolicy(directory, model, base());
      await letGo();
      await keepTrainedAnswers(directory, model, settings.executable.load);
    },
    async saveReward(model, score) {
      const directory = await directoryFor('reward');
      await saveReward(directory, model, score, base());
      await letGo();
      await keepTrainedAnswers(directory, model, settings.executable.load, score);
    },
    exportPolicy: async (form) => {
      const target = resolve(settings.root, form.to);
      const artifact = settings.artifactOf(form.what)!;
      const { files, ...result } = await exportPolicy(target, form, {
        artifact,
        loader: settings.policies,
        load: context.load,
        lineage: settings.lineage ?? (async () => ({ stages: [] })),
      });
      await listExport(target, files, await directoryFor('files'));
      return result;
    },
  };
  return {
    context,
    written,
    decided: () => [eightBit.decision()].filter((line) => line !== undefined),
    async dispose() {
      await letGo();
      for (const scratch of scratches) await scratch.close();
    },
  };
}

/** Else a result would be kept under the key of other rows. @throws StageError where a file has other contents than the digest says */
async function refuseChanged(
  expression: DataExpression,
  root: string,
  digest: string | undefined,
): Promise<void> {
  const file = digest === undefined ? undefined : await changedFile(expression, root, digest);
  if (file === undefined) return;
  throw new StageError('stale-plan', `${file} was changed while it was read`, {
    help: ['run the pipeline again when the file is complete'],
  });
}
