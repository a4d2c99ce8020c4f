/** A run: the jobs of the frozen plan one after another, as a stream of events. */
import { randomBytes } from 'node:crypto';
import type { ExecutionGraph, Job } from '../../compiler/graph/graph.ts';
import { openStore, type Store } from '../store/store.ts';
import { stream } from './channel.ts';
import type { RunEvent } from './events.ts';
import { explainFailure } from './failures.ts';
import { logLine } from './log-line.ts';
import type { Plan } from './plan-types.ts';
import { PolicyLoader } from './policies.ts';
import { type Finished, runJob } from './run-job.ts';

export interface RunRequest {
  readonly file: string;
  readonly plan: Plan;
  readonly graph: ExecutionGraph;
  readonly store: string;
  readonly device: string;
}

type Emit = (event: RunEvent) => void;
type End = Pick<Extract<RunEvent, { type: 'run_finished' }>, 'status' | 'exit_code'>;

/** Events until `run_finished`; nothing is thrown. `stopping` is asked between steps. */
export function run(
  request: RunRequest,
  version: string,
  stopping: () => boolean,
): AsyncGenerator<RunEvent, void> {
  return stream<RunEvent, void>(async (emit) => {
    const started = Date.now();
    const id = runId(started);
    const first: RunEvent = { type: 'version', format_version: '1.0', ftc: version };
    emit(first);
    let store: Store | undefined;
    let end: End;
    try {
      store = await openStore(request.store, { write: true });
      end = await runJobs(request, { id, first }, store, emit, stopping);
    } catch (error) {
      end = endOf(error, undefined, emit);
    }
    const last = { type: 'run_finished', run: id, ...end, seconds: (Date.now() - started) / 1000 } as const;
    await quietly(() => store?.endRun(id, last));
    await quietly(() => store?.close());
    emit(last);
  });
}

async function runJobs(
  request: RunRequest,
  { id, first }: { readonly id: string; readonly first: RunEvent },
  store: Store,
  emit: Emit,
  stopping: () => boolean,
): Promise<End> {
  const { graph, plan, file } = request;
  const record = await store.beginRun({ id, pipeline: graph.pipeline, file, plan });
  const tell: Emit = (event) => {
    emit(event);
    record.event(event);
    const line = logLine(event, new Date());
    if (line !== undefined) record.log(line);
  };
  let running: Job | undefined;
  try {
    record.event(first);
    const stages = graph.jobs.map((job) => job.id);
    tell({ type: 'run_started', run: id, pipeline: graph.pipeline, stages, device: 'cpu' });
    const finished = new Map<string, Finished>();
    const policies = new PolicyLoader((hash) => store.artifact(hash));
    const chosen = graph.jobs.filter(({ id }) => plan.stages.some((stage) => stage.id === id));
    // What was asked for again is unfinished from here on: a run that is stopped goes on with it.
    for (const { action, key } of plan.stages) if (action === 'run') await store.forget(key);
    for (const [at, job] of chosen.entries()) {
      running = job;
      await policies.retain(modelsFor(chosen.slice(at), finished));
      const planned = plan.stages.find((stage) => stage.id === job.id)!;
      const result = await runJob(job, planned, {
        file,
        plan,
        jobs: graph.jobs,
        store,
        finished,
        policies,
        emit: tell,
        stopping,
      });
      finished.set(job.id, result);
      await record.link(job.id, planned.key, result.artifacts);
    }
    return { status: 'ok', exit_code: 0 };
  } catch (error) {
    return endOf(error, running, tell);
  }
}

/** Artifacts that jobs still to come will open. */
function modelsFor(jobs: readonly Job[], finished: ReadonlyMap<string, Finished>): Set<string> {
  const hashes = jobs.flatMap((job) =>
    job.inputs.flatMap(({ slot, from }) => {
      const hash = finished.get(from)?.artifacts[slot];
      return hash !== undefined && (slot === 'policy' || slot === 'reward') ? [hash] : [];
    }),
  );
  return new Set(hashes);
}

function endOf(error: unknown, running: Job | undefined, tell: Emit): End {
  const { status, exitCode, diagnostic } = explainFailure(error, running);
  try {
    if (diagnostic) tell(diagnostic);
  } catch {
    // It was told; a full disk keeps it out of events.jsonl.
  }
  return { status, exit_code: exitCode };
}

/** For the last words of a run: what made it fail may make them fail too. */
async function quietly(task: () => Promise<void> | undefined): Promise<void> {
  await Promise.resolve(task()).catch(() => {});
}

/** `20261123-221500-ab12`: sorts by time. */
function runId(now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}
