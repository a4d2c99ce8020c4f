/** What a run would do, and why: the same function answers `ftc plan` and freezes the plan of `ftc run`. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ExecutionGraph, Job } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import { deviceSpeed } from '../devices/speed.ts';
import type { Speed } from '../programs/cost.ts';
import type { Estimate, PlannedModel } from '../stages/stage.ts';
import { openStore, type Store, type StoredResult } from '../store/store.ts';
import { readCheckpointHeader } from './checkpoint-directory.ts';
import { estimateContext } from './estimate-context.ts';
import { explainFailure } from './failures.ts';
import { contentKey, type KeyParts, keyParts } from './keys.ts';
import { costsOf } from './plan-costs.ts';
import type { Plan, PlanDiagnostic, PlannedStage } from './plan-types.ts';
import { differenceOf } from './why.ts';

export interface PlanRequest {
  readonly graph: ExecutionGraph;
  /** The pipeline file. */
  readonly file: string;
  readonly storeDirectory: string;
  readonly device: string;
}

interface PlannedJob {
  readonly stage: PlannedStage;
  readonly parts: KeyParts;
  readonly model: PlannedModel | undefined;
}

export async function planPipeline(request: PlanRequest): Promise<Plan> {
  const root = dirname(request.file);
  const store = await openStore(request.storeDirectory, { write: false });
  const speed = await deviceSpeed();
  const planned = new Map<string, PlannedJob>();
  const diagnostics: PlanDiagnostic[] = [];
  for (const job of request.graph.jobs) {
    try {
      planned.set(job.id, await planJob(job, { root, store, speed, planned }));
    } catch (error) {
      const { diagnostic } = explainFailure(error, job);
      if (!diagnostic) throw error;
      diagnostics.push({
        severity: 'error',
        code: diagnostic.code,
        message: diagnostic.message,
        stage: job.id,
        span: {
          ...job.span,
          ...(diagnostic.file !== undefined && { file: diagnostic.file }),
          ...(diagnostic.line !== undefined && { line: diagnostic.line }),
          column: diagnostic.column ?? 1,
        },
        notes: diagnostic.notes,
        help: diagnostic.help,
      });
      planned.set(job.id, blocked(job, diagnostic.message));
    }
  }
  const list = [...planned.values()].map((p) => p.stage);
  const running = list.filter((s) => s.action === 'run' || s.action === 'resume');
  const sum = (value: (stage: PlannedStage) => number) => running.reduce((n, s) => n + value(s), 0);
  return {
    format_version: '1.0',
    pipeline: request.graph.pipeline,
    has_changes: running.length > 0,
    stages: list,
    totals: {
      stages_to_run: running.length,
      steps: sum((s) => s.steps - (s.from_step ?? 0)),
      tokens: sum((s) => s.tokens),
      peak_memory_bytes: Math.max(0, ...running.map((s) => s.peak_memory_bytes)),
      disk_bytes: sum((s) => s.disk_bytes),
      seconds: { low: sum((s) => s.seconds.low), high: sum((s) => s.seconds.high) },
    },
    diagnostics,
  };
}

interface Surroundings {
  readonly root: string;
  readonly store: Store;
  readonly speed: Speed;
  readonly planned: ReadonlyMap<string, PlannedJob>;
}

async function planJob(job: Job, { root, store, speed, planned }: Surroundings): Promise<PlannedJob> {
  const before = job.inputs.map((i) => ({ slot: i.slot, job: planned.get(i.from)! }));
  const gated = job.conditions.map((c) => planned.get(c.job)!);
  const blocker = [...before.map((b) => b.job), ...gated].find((p) => p.stage.action === 'blocked');
  const parts = await keyParts(job, root, (id) => planned.get(id)!.stage.key);
  const key = contentKey(parts);
  const modelFrom = (slot: string) => before.find((b) => b.slot === slot)?.job.model;
  const estimate = await stages[job.kind]!.estimate(
    estimateContext(job, root, modelFrom('policy'), modelFrom('reward')),
  );
  const costs = costsOf(estimate, speed);
  const found = await store.find(key);
  const fresh = found !== undefined && outputsStand(job, root);
  const checkpoint = fresh ? undefined : await readCheckpointHeader(store.workPath(key));
  const action = blocker ? 'blocked' : fresh ? 'cached' : checkpoint ? 'resume' : 'run';
  const stage: PlannedStage = {
    id: job.id,
    kind: job.kind,
    ...(job.method && { method: job.method.name }),
    action,
    reason: blocker
      ? `waits for \`${blocker.stage.id}\``
      : await reasonFor(action, job, parts, found, store, checkpoint?.step),
    key,
    inputs: job.inputs.map((i) => `${i.from}.${i.slot}`),
    outputs: job.outputs,
    ...(estimate.parameters && { parameters: estimate.parameters }),
    steps: estimate.steps,
    ...(checkpoint && { from_step: checkpoint.step }),
    tokens: estimate.tokens,
    peak_memory_bytes: estimate.work.length > 0 ? costs.peakMemoryBytes : 0,
    disk_bytes: estimate.diskBytes,
    seconds: remaining(costs.seconds, estimate, checkpoint?.step ?? 0),
    defaults: job.defaults,
    notes: estimate.notes,
  };
  return { stage, parts, model: estimate.model ?? modelFrom('policy') };
}

const remaining = (seconds: { low: number; high: number }, { steps }: Estimate, done: number) => {
  const share = steps > 0 ? (steps - done) / steps : 1;
  return { low: seconds.low * share, high: seconds.high * share };
};

/** What is outside the store must still be there for a result to count. */
function outputsStand(job: Job, root: string): boolean {
  return job.kind !== 'export' || existsSync(resolve(root, String(job.options.to)));
}

async function reasonFor(
  action: PlannedStage['action'],
  job: Job,
  parts: KeyParts,
  found: StoredResult | undefined,
  store: Store,
  step: number | undefined,
): Promise<string> {
  if (action === 'cached') return 'unchanged';
  if (action === 'resume') return `stopped at step ${step}`;
  if (found) return `\`${job.options.to}\` is gone`;
  const last = await store.latest(job.id, job.kind);
  return last?.parts ? differenceOf(last.parts, parts, job) : 'never run';
}

function blocked(job: Job, reason: string): PlannedJob {
  return {
    stage: {
      id: job.id,
      kind: job.kind,
      action: 'blocked',
      reason,
      key: '',
      inputs: job.inputs.map((i) => `${i.from}.${i.slot}`),
      outputs: job.outputs,
      steps: 0,
      tokens: 0,
      peak_memory_bytes: 0,
      disk_bytes: 0,
      seconds: { low: 0, high: 0 },
      defaults: job.defaults,
      notes: [],
    },
    parts: { job: null, inputs: {}, data: {}, executable: 'onnx' },
    model: undefined,
  };
}
