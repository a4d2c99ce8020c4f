/** One job of the plan: whether it would run, why, and what it would cost. */
import type { FilledDefault, Job } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import { changedFile, countRows } from '../data/digest-data.ts';
import { openData } from '../data/open-data.ts';
import type { Row } from '../data/row.ts';
import type { Speed } from '../programs/cost.ts';
import type { RowLengths } from '../stages/estimates/row-lengths.ts';
import type { Estimate, PlannedModel, PlannedWork } from '../stages/stage.ts';
import type { Store } from '../store/store.ts';
import { checkCondition } from './check-condition.ts';
import { readCheckpointHeader } from './checkpoint-directory.ts';
import { estimateContext } from './estimate-context.ts';
import { fitProgram, recomputeOption } from './fit-program.ts';
import { keptPasses } from './kept-passes.ts';
import { contentKey, type KeyParts, keyParts } from './keys.ts';
import { type Costs, costsOf } from './plan-costs.ts';
import { eightBitNotes } from './plan-eight-bit.ts';
import { doesNotFit, fixesFor } from './plan-fit.ts';
import type { PlanDiagnostic, PlannedFix, PlannedStage } from './plan-types.ts';
import { readConfigAndTokenizer } from './policies.ts';
import { type Finished, type ProgramFindings, programFindings } from './program-findings.ts';
import { outputsStand, reasonFor } from './result-stands.ts';
import { type RowsRead, watchRows } from './rows-read.ts';
import { fitsInMemory } from './scratch.ts';
import type { Storage } from './stored-memory.ts';
import { measureTokensPerByte } from './tokens-per-byte.ts';

export interface PlannedJob {
  readonly stage: PlannedStage;
  readonly parts: KeyParts;
  readonly model: PlannedModel | undefined;
  /** What it will measure, where its estimate knows. */
  readonly metrics?: readonly string[] | undefined;
  /** What does not keep it from being planned, but from being run; a warning where the plan is good for more than that. */
  readonly problem?: { readonly error: Error; readonly severity: PlanDiagnostic['severity'] };
}

/** What a job is planned with. */
export interface Surroundings {
  readonly root: string;
  readonly store: Store;
  readonly speed: Speed;
  readonly planned: ReadonlyMap<string, PlannedJob>;
  /** What asks for it to run again where it has a result: `--from`. */
  readonly again: string | undefined;
  /** What the device has. */
  readonly memoryBytes: number;
  /** What of it is free, where that is known. */
  readonly freeBytes: number | undefined;
  /** How it keeps numbers, where that is not how this machine does. */
  readonly storage: Storage | undefined;
}

/** Errors: DataError, MethodError, StageError: what a user can mend. */
export async function planJob(
  job: Job,
  { root, store, speed, planned, again, memoryBytes, freeBytes, storage }: Surroundings,
): Promise<PlannedJob> {
  const before = job.inputs.map((i) => ({ slot: i.slot, job: planned.get(i.from)! }));
  const gated = job.conditions.map((c) => planned.get(c.job)!);
  const blocker = [...before.map((b) => b.job), ...gated].find((p) => p.stage.action === 'blocked');
  for (const condition of job.conditions) checkCondition(condition, planned.get(condition.job)!);
  const parts = await keyParts(job, root, (id) => planned.get(id)!.stage.key);
  const key = contentKey(parts);
  const modelFrom = (slot: string) => before.find((b) => b.slot === slot)?.job.model;
  if (blocker && !modelFrom('policy')) {
    // Its model is not known; its rows are looked at all the same.
    for (const expression of Object.values(job.data)) await countRows(expression, root);
    return blocked(job, `waits for \`${blocker.stage.id}\``);
  }
  // Proposals change how a stage computes, not what it reads.
  const readBefore = new Map<string, RowLengths>();
  const passes = keptPasses(
    store.directory,
    parts.data,
    async (option) => (await changedFile(job.data[option]!, root, parts.data[option]!)) !== undefined,
  );
  const costing = async (one: Job): Promise<Costed> => {
    const context = estimateContext(one, root, modelFrom('policy'), modelFrom('reward'), readBefore);
    const read = watchRows(one, context, passes);
    const made = await stages[one.kind]!.estimate(read.context);
    const option = recomputeOption(one);
    const finished: Finished[] = [];
    const finish = (work: PlannedWork) => {
      const fitted = fitProgram(work, option, freeBytes, storage);
      finished.push({ work, ...fitted });
      return fitted.program;
    };
    const costs = costsOf(made, speed, finish, storage);
    return { estimate: made, costs, findings: programFindings(one, finished), read };
  };
  const { estimate, costs, findings, read } = await costing(job);
  const found = await store.find(key);
  const stands = found !== undefined && (await outputsStand(job, root, found, store));
  const checkpoint = stands ? undefined : await readCheckpointHeader(store.workPath(key));
  const cached = stands && again === undefined;
  const action = blocker ? 'blocked' : cached ? 'cached' : checkpoint ? 'resume' : 'run';
  const runs = action === 'run' || action === 'resume';
  const replan = async (one: Job) => (await costing(one)).costs.memory;
  const fit = { memory: costs.memory, memoryBytes, replan };
  const tooLarge = runs && estimate.work.length > 0 && costs.memory.peakBytes > memoryBytes;
  const fixes = tooLarge ? await fixesFor(job, fit) : undefined;
  const refused = fixes
    ? doesNotFit(job, costs.memory, memoryBytes, fixes)
    : runs
      ? findings.problem
      : undefined;
  const problem = refused
    ? { error: refused, severity: 'error' as const }
    : runs && estimate.problem && { error: estimate.problem, severity: 'warning' as const };
  const decided =
    !findings.problem && estimate.work.some(({ eightBit }) => eightBit)
      ? await eightBitNotes({
          found: cached ? found : undefined,
          checkpoint: checkpoint && store.workPath(key),
          earlier: await store.earlier(job.id, job.kind),
          parts,
        })
      : [];
  const scratch = scratchOf(estimate);
  const stage: PlannedStage = {
    id: job.id,
    kind: job.kind,
    ...(job.method && { method: job.method.name }),
    action,
    reason: blocker
      ? `waits for \`${blocker.stage.id}\``
      : stands && again !== undefined
        ? `asked for by \`${again}\``
        : await reasonFor(action, job, parts, found, store, checkpoint?.step),
    key,
    inputs: job.inputs.map((i) => `${i.from}.${i.slot}`),
    outputs: job.outputs,
    ...(estimate.parameters && { parameters: estimate.parameters }),
    steps: estimate.steps,
    ...(checkpoint && { from_step: checkpoint.step }),
    tokens: estimate.tokens,
    ...memoryOf(estimate, costs, memoryBytes, fixes),
    disk_bytes: estimate.diskBytes + scratch,
    ...(scratch > 0 && { scratch_bytes: scratch }),
    seconds: remaining(costs.seconds, estimate, checkpoint?.step ?? 0),
    defaults: [...job.defaults.map((filled) => measured(filled, job, estimate)), ...read.defaults()],
    notes: [...read.notes(), ...estimate.notes, ...decided, ...findings.notes],
  };
  const made =
    stands && job.data.data !== undefined && modelFrom('policy') === undefined
      ? found.artifacts.policy
      : undefined;
  const model =
    made === undefined || estimate.model === undefined
      ? estimate.model
      : await modelOfArtifact(
          store.artifact(made),
          estimate.model,
          openData(job.data.data!, { root, split: 'train' }),
        );
  return {
    stage,
    parts,
    model: model ?? modelFrom('policy'),
    metrics: estimate.metrics,
    ...(problem && { problem }),
  };
}

interface Costed {
  readonly estimate: Estimate;
  readonly costs: Costs;
  readonly findings: ProgramFindings;
  readonly read: RowsRead;
}

/** Of a stage that runs programs; what only copies files takes next to nothing. */
function memoryOf(
  { work }: Estimate,
  { memory }: Costs,
  memoryBytes: number,
  fixes: readonly PlannedFix[] | undefined,
): Pick<PlannedStage, 'peak_memory_bytes' | 'memory'> {
  if (work.length === 0) return { peak_memory_bytes: 0 };
  const { peakBytes } = memory;
  const parts = [...memory.parts].sort((a, b) => b.bytes - a.bytes);
  const fits = peakBytes <= memoryBytes;
  return {
    peak_memory_bytes: peakBytes,
    memory: { parts, peak_bytes: peakBytes, fits, ...(fixes && { fixes }) },
  };
}

/** Bytes of files that live as long as the stage. */
function scratchOf({ held, scratchBytes = 0 }: Estimate): number {
  const rows = held?.rows ?? 0;
  return scratchBytes + (fitsInMemory(rows) ? 0 : rows);
}

/** A model that exists: its own sizes, and its own tokenizer measured on the rows it was trained on. */
async function modelOfArtifact(
  directory: string,
  planned: PlannedModel,
  rows: AsyncIterable<Row>,
): Promise<PlannedModel> {
  const { config, tokenizer } = await readConfigAndTokenizer(directory);
  return { ...planned, config, tokenizer, tokensPerByte: await measureTokensPerByte(rows, tokenizer) };
}

/** A default that follows from the data, as the number that was measured instead of the rule. */
function measured(filled: FilledDefault, { id, options }: Job, { steps, tokens }: Estimate): FilledDefault {
  const uncut = options.max_steps === undefined;
  const found = { [`${id}.max_steps`]: steps, ...(uncut && { [`${id}.tokens`]: tokens }) }[filled.path];
  if (found === undefined || typeof filled.value !== 'string') return filled;
  return { ...filled, value: found, from: `${filled.from}: ${filled.value}` };
}

const remaining = (seconds: { low: number; high: number }, { steps }: Estimate, done: number) => {
  const share = steps > 0 ? (steps - done) / steps : 1;
  return { low: seconds.low * share, high: seconds.high * share };
};

/** A job that cannot run, and why. */
export function blocked(job: Job, reason: string): PlannedJob {
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
