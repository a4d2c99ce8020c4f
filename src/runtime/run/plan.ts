/** What a run would do, and why: the same function answers `ftc plan` and freezes the plan of `ftc run`. */
import { dirname } from 'node:path';
import type { ExecutionGraph, Job } from '../../compiler/graph/graph.ts';
import { deviceMemory } from '../devices/memory.ts';
import { deviceSpeed } from '../devices/speed.ts';
import { openStore } from '../store/store.ts';
import { chooseJobs, missingBefore, needsResultOf, type StageRange } from './choose-jobs.ts';
import { explainFailure } from './failures.ts';
import { blocked, type PlannedJob, planJob } from './plan-job.ts';
import type { DeviceNumbers, Plan, PlanDiagnostic, PlannedStage } from './plan-types.ts';
import { half } from './stored-memory.ts';

export interface PlanRequest extends StageRange {
  readonly graph: ExecutionGraph;
  /** The pipeline file. */
  readonly file: string;
  readonly storeDirectory: string;
  readonly device: string;
  /** Bytes of the device that is planned for. Default: this machine's. */
  readonly memoryBytes?: number;
  /** In which it keeps weights, gradients and activations. Default: f32, as this machine does. */
  readonly numbers?: DeviceNumbers;
}

/**
 * What a run will go through: the stages of the range, and before them those with a result that the range may read.
 * Problems of a stage come back as diagnostics and block it and what reads from it; StoreError is thrown.
 */
export async function planPipeline(request: PlanRequest): Promise<Plan> {
  const root = dirname(request.file);
  const store = await openStore(request.storeDirectory, { write: false });
  const speed = await deviceSpeed();
  const { memoryBytes = deviceMemory(), memoryBytes: freeBytes } = request;
  const { numbers } = request;
  const storage = numbers === 'bf16' ? half : undefined;
  const planned = new Map<string, PlannedJob>();
  const diagnostics: PlanDiagnostic[] = [];
  const chosen = chooseJobs(request.graph.jobs, request);
  const { before, within } = chosen;
  for (const job of [...before, ...within]) {
    const again = within.includes(job) ? chosen.again : undefined;
    try {
      const around = { root, store, speed, planned, again, memoryBytes, freeBytes, storage };
      const one = await planJob(job, around);
      planned.set(job.id, one);
      if (one.problem) diagnostics.push(problemOf(one.problem.error, job, one.problem.severity));
    } catch (error) {
      const problem = problemOf(error, job);
      diagnostics.push(problem);
      planned.set(job.id, blocked(job, problem.message));
    }
  }
  const isCached = (job: Job) => planned.get(job.id)!.stage.action === 'cached';
  const missing = missingBefore(chosen, isCached);
  if (missing) {
    diagnostics.push(problemOf(needsResultOf(missing, chosen), within[0]!));
    for (const job of within) planned.set(job.id, blocked(job, `waits for \`${missing.id}\``));
  }
  const stages = [...before.filter(isCached), ...within].map((job) => planned.get(job.id)!.stage);
  const running = stages.filter((s) => s.action === 'run' || s.action === 'resume');
  const sum = (value: (stage: PlannedStage) => number) => running.reduce((n, s) => n + value(s), 0);
  return {
    format_version: '1.0',
    pipeline: request.graph.pipeline,
    has_changes: running.length > 0,
    stages,
    totals: {
      stages_to_run: running.length,
      steps: sum((s) => s.steps - (s.from_step ?? 0)),
      tokens: sum((s) => Math.round(s.tokens * remainingShare(s))),
      peak_memory_bytes: Math.max(0, ...running.map((s) => s.peak_memory_bytes)),
      disk_bytes:
        sum((s) => s.disk_bytes - (s.scratch_bytes ?? 0)) +
        Math.max(0, ...running.map((s) => s.scratch_bytes ?? 0)),
      seconds: { low: sum((s) => s.seconds.low), high: sum((s) => s.seconds.high) },
    },
    device_memory_bytes: memoryBytes,
    ...(numbers && { device_numbers: numbers }),
    diagnostics: diagnostics.filter(({ stage }) => stages.some(({ id }) => id === stage)),
  };
}

const remainingShare = ({ steps, from_step = 0 }: PlannedStage) =>
  steps > 0 ? (steps - from_step) / steps : 1;

function problemOf(error: unknown, job: Job, severity: PlanDiagnostic['severity'] = 'error'): PlanDiagnostic {
  const { diagnostic, span } = explainFailure(error, job);
  if (!diagnostic) throw error;
  const { code, message, file, line, notes, help } = diagnostic;
  const inData = span !== undefined && file !== span.file;
  const place = inData ? { file: file!, line: line!, column: 1, start: 0, end: 0 } : span;
  return { severity, code, message, stage: job.id, ...(place && { span: place }), notes, help };
}
