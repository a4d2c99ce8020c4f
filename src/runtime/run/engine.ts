/** A run: the jobs of the frozen plan one after another, as a stream of events. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionGraph, Job } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import { onnx } from '../executables/onnx/onnx.ts';
import { StageError } from '../stages/stage.ts';
import { openStore, type Store } from '../store/store.ts';
import { stream } from './channel.ts';
import { jobContext } from './context.ts';
import type { Metrics, RunEvent } from './events.ts';
import { explainFailure } from './failures.ts';
import { contentKey, keyParts } from './keys.ts';
import type { Plan, PlannedStage } from './plan-types.ts';
import { PolicyLoader } from './policies.ts';

export interface RunRequest {
  readonly file: string;
  readonly plan: Plan;
  readonly graph: ExecutionGraph;
  readonly store: string;
  readonly device: string;
  readonly only?: string;
  readonly from?: string;
  readonly until?: string;
}

/** Every job's outcome, for the jobs after it. */
interface Finished {
  readonly metrics: Metrics;
  readonly artifacts: Readonly<Record<string, string>>;
}

/** Events until `run_finished`; nothing is thrown. `stopping` is asked between steps. */
export function run(
  request: RunRequest,
  version: string,
  stopping: () => boolean,
): AsyncGenerator<RunEvent, void> {
  return stream<RunEvent, void>(async (emit) => {
    const started = Date.now();
    const id = runId(started);
    emit({ type: 'version', format_version: '1.0', ftc: version });
    let running: Job | undefined;
    let store: Store | undefined;
    let tell: ((event: RunEvent) => void) | undefined;
    let finish: { status: 'ok' | 'failed' | 'gate_failed' | 'stopped'; exit_code: number } = {
      status: 'ok',
      exit_code: 0,
    };
    try {
      store = await openStore(request.store, { write: true });
      const record = await store.beginRun({
        id,
        pipeline: request.graph.pipeline,
        file: request.file,
        plan: request.plan,
      });
      tell = (event) => {
        record.event(event);
        emit(event);
      };
      tell({
        type: 'run_started',
        run: id,
        pipeline: request.graph.pipeline,
        stages: request.graph.jobs.map((j) => j.id),
        device: 'cpu',
      });
      const first = request.graph.jobs.findIndex((j) => j.id === (request.only ?? request.from));
      const chosen = (stage: string) => request.graph.jobs.findIndex((j) => j.id === stage) >= first;
      const finished = new Map<string, Finished>();
      const policies = new PolicyLoader((hash) => store!.artifact(hash));
      for (const job of request.graph.jobs) {
        const planned = request.plan.stages.find((s) => s.id === job.id)!;
        running = job;
        if (!chosen(job.id) && planned.action !== 'cached')
          throw new StageError(
            'stage-failed',
            `\`${job.id}\` has no result yet, and stages after it were asked for`,
            {
              help: ['run without `--only` and `--from` first'],
            },
          );
        const result = await runJob(job, planned, {
          request,
          store,
          finished,
          policies,
          emit: tell,
          stopping,
        });
        finished.set(job.id, result);
        await record.link(job.id, planned.key, result.artifacts);
        if ((request.until ?? request.only) === job.id) break;
      }
      running = undefined;
    } catch (error) {
      const failure = explainFailure(error, running);
      if (failure.diagnostic) (tell ?? emit)(failure.diagnostic);
      finish = { status: failure.status, exit_code: failure.exitCode };
    }
    const end = { type: 'run_finished', run: id, ...finish, seconds: (Date.now() - started) / 1000 } as const;
    await store?.endRun(id, end);
    await store?.close();
    emit(end);
  });
}

interface RunState {
  readonly request: RunRequest;
  readonly store: Store;
  readonly finished: ReadonlyMap<string, Finished>;
  readonly policies: PolicyLoader;
  readonly emit: (event: RunEvent) => void;
  readonly stopping: () => boolean;
}

async function runJob(job: Job, planned: PlannedStage, state: RunState): Promise<Finished> {
  const { store, emit, finished } = state;
  const started = Date.now();
  const found = planned.action === 'cached' ? await store.find(planned.key) : undefined;
  const begin = { type: 'stage_started', stage: job.id, kind: job.kind, steps: planned.steps } as const;
  if (found) {
    emit({ ...begin, action: 'cached' });
    emit({
      type: 'stage_finished',
      stage: job.id,
      action: 'cached',
      seconds: 0,
      metrics: found.metrics,
      artifacts: found.artifacts,
    });
    return found;
  }
  const action = planned.action === 'resume' ? 'resume' : 'run';
  emit({ ...begin, action, ...(planned.from_step !== undefined && { from_step: planned.from_step }) });
  const root = dirname(state.request.file);
  const parts = await keyParts(
    job,
    root,
    (from) => state.request.plan.stages.find((s) => s.id === from)!.key,
  );
  if (contentKey(parts) !== planned.key)
    throw new StageError('stale-plan', `what \`${job.id}\` reads has changed since the plan was made`, {
      help: ['plan again: `ftc plan FILE --out PLAN`, or run the pipeline file itself'],
    });
  const output = await store.temporaryDirectory();
  const { context, written, dispose } = jobContext({
    job,
    root,
    executable: onnx,
    policies: state.policies,
    artifactOf: (slot) => {
      const input = job.inputs.find((i) => i.slot === slot);
      return input && finished.get(input.from)?.artifacts[slot];
    },
    metricsOf: (id) => finished.get(id)?.metrics ?? {},
    output,
    work: await store.workDirectory(planned.key),
    emit,
    stopping: state.stopping,
  });
  try {
    const { metrics } = await stages[job.kind]!.run(context);
    const artifacts = await store.put(planned.key, {
      stage: job.id,
      kind: job.kind,
      directories: written,
      metrics,
    });
    await store.removeWork(planned.key);
    const seconds = (Date.now() - started) / 1000;
    emit({ type: 'stage_finished', stage: job.id, action, seconds, metrics, artifacts });
    return { metrics, artifacts };
  } finally {
    await dispose();
    await rm(output, { recursive: true, force: true });
  }
}

/** `20261123-221500-ab12`: sorts by time. */
function runId(now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}
