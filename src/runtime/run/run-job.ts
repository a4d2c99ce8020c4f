/** One job of a run: found in the store, or computed and put there. */
import { rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Job } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import { onnx } from '../executables/onnx/onnx.ts';
import { StageError, Stopped } from '../stages/stage.ts';
import type { Store } from '../store/store.ts';
import { jobContext } from './context.ts';
import type { Metrics, RunEvent } from './events.ts';
import { contentKey, type KeyParts, keyParts } from './keys.ts';
import { lineageOf } from './lineage.ts';
import { readModelLink } from './model-link.ts';
import type { Plan, PlannedStage } from './plan-types.ts';
import type { PolicyLoader } from './policies.ts';

/** A job's outcome, for the jobs after it. */
export interface Finished {
  readonly metrics: Metrics;
  /** Slot → hash. */
  readonly artifacts: Readonly<Record<string, string>>;
}

export interface RunState {
  /** The pipeline file. */
  readonly file: string;
  readonly plan: Plan;
  /** All jobs of the pipeline, in their order. */
  readonly jobs: readonly Job[];
  readonly store: Store;
  readonly finished: ReadonlyMap<string, Finished>;
  readonly policies: PolicyLoader;
  readonly emit: (event: RunEvent) => void;
  readonly stopping: () => boolean;
}

/** Errors: whatever the stage throws; StageError `stale-plan`; Stopped. */
export async function runJob(job: Job, planned: PlannedStage, state: RunState): Promise<Finished> {
  const { store, emit, plan, stopping } = state;
  const { id: stage, kind } = job;
  const wrote = job.outputs.includes('files') && {
    wrote: resolve(dirname(state.file), String(job.options.to)),
  };
  const begin = { type: 'stage_started', stage, kind, steps: planned.steps } as const;
  const found = planned.action === 'cached' ? await store.find(planned.key) : undefined;
  if (found) {
    const { metrics, artifacts } = found;
    emit({ ...begin, action: 'cached' });
    emit({ type: 'stage_finished', stage, action: 'cached', seconds: 0, metrics, artifacts, ...wrote });
    return found;
  }
  if (stopping()) throw new Stopped(`stopped before \`${stage}\``);
  const started = Date.now();
  const action = planned.action === 'resume' ? 'resume' : 'run';
  emit({ ...begin, action, ...(planned.from_step !== undefined && { from_step: planned.from_step }) });
  const keyOf = (from: string) => plan.stages.find((s) => s.id === from)!.key;
  const parts = await keyParts(job, dirname(state.file), keyOf);
  if (contentKey(parts) !== planned.key)
    throw new StageError('stale-plan', `what \`${stage}\` reads has changed since the plan was made`, {
      help: ['plan again: `ftc plan FILE --out PLAN`, or run the pipeline file itself'],
    });
  const { metrics, notes, directories, release } = await compute(job, planned, parts.data, state);
  try {
    const artifacts = await store.put(planned.key, { stage, kind, directories, metrics, notes, parts });
    await store.removeWork(planned.key);
    const seconds = (Date.now() - started) / 1000;
    emit({ type: 'stage_finished', stage, action, seconds, metrics, artifacts, ...wrote });
    return { metrics, artifacts };
  } finally {
    await release();
  }
}

/** Runs the stage; what it loaded is let go of before its artifacts are put away. */
async function compute(
  job: Job,
  { key }: PlannedStage,
  digests: KeyParts['data'],
  { store, finished, ...state }: RunState,
) {
  const output = await store.temporaryDirectory();
  const release = () => rm(output, { recursive: true, force: true });
  const metricsOf = (id: string) => finished.get(id)?.metrics ?? {};
  const openedBy = async (id: string) => {
    const hash = finished.get(id)?.artifacts.policy;
    return hash === undefined ? undefined : readModelLink(store.artifact(hash));
  };
  const { context, written, decided, dispose } = jobContext({
    job,
    root: dirname(state.file),
    executable: onnx,
    policies: state.policies,
    artifactOf: (slot) => {
      const input = job.inputs.find((i) => i.slot === slot);
      return input && finished.get(input.from)?.artifacts[slot];
    },
    metricsOf,
    lineage: () => lineageOf(job, state.jobs, { file: state.file, metricsOf, openedBy }),
    output,
    store: store.directory,
    work: await store.workDirectory(key),
    digests,
    emit: state.emit,
    stopping: state.stopping,
  });
  try {
    const { metrics } = await stages[job.kind]!.run(context);
    return { metrics, notes: decided(), directories: written, release };
  } catch (error) {
    await release();
    throw error;
  } finally {
    await dispose();
  }
}
