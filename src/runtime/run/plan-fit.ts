/** A stage that does not fit: what would make it fit, each proposal planned as if it had been written so. */
import { words } from '../../compiler/diagnostics/words.ts';
import type { Job, Options } from '../../compiler/graph/graph.ts';
import { optimizers, stages } from '../catalog.ts';
import { StageError } from '../stages/stage.ts';
import type { StageMemory } from './plan-memory.ts';
import type { PlannedFix } from './plan-types.ts';

/** A change of what the user wrote, and the job as it would be then. */
interface Change {
  readonly text: string;
  readonly job: Job;
}
/** A change, and what was found of it. */
interface Found {
  readonly change: Change;
  readonly fix: PlannedFix;
}
type Plan = (change: Change) => Promise<PlannedFix>;
/** undefined where it does not apply, or stands there already. */
type Proposal = (job: Job) => Change | undefined;

export interface Fitting {
  /** What the stage needs as it is written. */
  readonly memory: StageMemory;
  /** What the device has. */
  readonly memoryBytes: number;
  replan(job: Job): Promise<StageMemory>;
}

/** A proposal that leaves more than this of the peak is not worth a line. */
const WORTH = 0.97;

/** What fits first; where no single change is enough, also several together, and at last a shorter context. */
export async function fixesFor(job: Job, { memory, memoryBytes, replan }: Fitting): Promise<PlannedFix[]> {
  const known = new Map<string, PlannedFix>();
  const plan: Plan = async ({ text, job: changed }) => {
    const before = known.get(text);
    if (before) return before;
    const { peakBytes } = await replan(changed);
    const fix = { change: text, peak_bytes: peakBytes, fits: peakBytes <= memoryBytes };
    known.set(text, fix);
    return fix;
  };
  const alone: PlannedFix[] = [];
  const saving: Proposal[] = [];
  for (const propose of proposals) {
    const change = propose(job);
    const fix = change && (await plan(change));
    if (!fix || fix.peak_bytes >= memory.peakBytes) continue;
    alone.push(fix);
    saving.push(propose);
  }
  const smaller = await shrunk({ text: '', job }, halved, plan);
  if (smaller && smaller.fix.peak_bytes < memory.peakBytes) alone.push(smaller.fix);
  const worthALine = ({ fits, peak_bytes }: PlannedFix) => fits || peak_bytes <= WORTH * memory.peakBytes;
  const fixes = alone.filter(worthALine);
  if (!fixes.some(({ fits }) => fits)) {
    const together = await allTogether(job, saving, plan);
    const shorter = together?.fix.fits ? undefined : await shorterContext(job, together?.change, plan);
    for (const found of [together?.fix, shorter]) if (found && !fixes.includes(found)) fixes.push(found);
  }
  return fixes.sort((a, b) => Number(b.fits) - Number(a.fits) || b.peak_bytes - a.peak_bytes);
}

/** Halved on top of a change until it fits; else what needs least. */
async function shrunk(start: Change, halve: Proposal, plan: Plan): Promise<Found | undefined> {
  let least: Found | undefined;
  for (let next = halve(start.job); next && !least?.fix.fits; next = halve(next.job)) {
    const change = { ...next, text: joined(start.text, next.text) };
    const fix = await plan(change);
    if (!least || fix.peak_bytes < least.fix.peak_bytes) least = { change, fix };
  }
  return least;
}

/** What would be computed is another model then: alone where that is enough, else on top of all that saves something. */
async function shorterContext(
  job: Job,
  together: Change | undefined,
  plan: Plan,
): Promise<PlannedFix | undefined> {
  const alone = await shrunk({ text: '', job }, halvedContext, plan);
  if (alone?.fix.fits || together === undefined) return alone?.fix;
  return (await shrunk(together, halvedContext, plan))?.fix;
}

/** One proposal on top of the other where it saves something there too, the batch at last, until it fits. */
async function allTogether(job: Job, some: readonly Proposal[], plan: Plan): Promise<Found | undefined> {
  let current: Change = { text: '', job };
  let fix: PlannedFix | undefined;
  for (const propose of some) {
    const change = propose(current.job);
    if (!change) continue;
    // `qlora` takes the place of `lora`.
    const text = joined(withoutMethod(current.text, change), change.text);
    const together = await plan({ ...change, text });
    if (fix && together.peak_bytes >= fix.peak_bytes) continue;
    fix = together;
    current = { ...change, text };
    if (fix.fits) break;
  }
  if (fix === undefined || fix.fits) return fix && { change: current, fix };
  const smaller = await shrunk(current, halved, plan);
  return smaller && smaller.fix.peak_bytes < fix.peak_bytes ? smaller : { change: current, fix };
}

const joined = (...texts: readonly string[]) => texts.filter((text) => text !== '').join(' ');
const withoutMethod = (text: string, { job, text: added }: Change) =>
  added.split(' ')[0] === job.method?.name ? text.replace(/^(q?lora)( |$)/, '') : text;

const changed = (job: Job, options: Options): Job => ({ ...job, options: { ...job.options, ...options } });
const takes = ({ kind }: Job, option: string) => stages[kind]!.entry.options[option] !== undefined;

const recompute: Proposal = (job) =>
  takes(job, 'recompute') && job.options.recompute !== 'blocks'
    ? { text: 'recompute=blocks', job: changed(job, { recompute: 'blocks' }) }
    : undefined;

const twins: Readonly<Record<string, string>> = { adamw: 'paged_adamw', adam8bit: 'paged_adamw8bit' };

/** The optimizer's state in a file. */
const paged: Proposal = (job) => {
  const twin = twins[String(job.options.optimizer)];
  return twin !== undefined && optimizers[twin] !== undefined
    ? { text: `optimizer=${twin}`, job: changed(job, { optimizer: twin }) }
    : undefined;
};

const smallerMethods: Readonly<Record<string, readonly string[]>> = {
  full: ['lora', 'qlora'],
  freeze: ['lora', 'qlora'],
  lora: ['qlora'],
};

/** Options of the method that were written; its defaults are not the other one's. */
const written = ({ method, defaults }: Job): Options =>
  Object.fromEntries(
    Object.entries(method?.options ?? {}).filter(
      ([name]) =>
        !defaults.some(({ path, from }) => from.startsWith('method default') && path.endsWith(`.${name}`)),
    ),
  );

/** What both methods have in common stays as it was written. */
const method =
  (name: string): Proposal =>
  (job) => {
    const before = job.method;
    const offered = stages[job.kind]!.entry.methods.includes(name);
    if (!before || !offered || !smallerMethods[before.name]?.includes(name)) return undefined;
    const options = before.name === 'lora' ? written(job) : {};
    // What would do nothing beside it must not stay written.
    const idle = stages[job.kind]!.entry.options.precision?.withoutEffect?.({}, name, job.options.precision!);
    const text = idle ? `${name} precision=f32` : name;
    return { text, job: { ...(idle ? changed(job, { precision: 'f32' }) : job), method: { name, options } } };
  };

/** By how little they change of what is computed. */
const proposals: readonly Proposal[] = [method('lora'), method('qlora'), recompute, paged];

/** Half as many rows at once, and as many a step where the stage can add up. */
const halved: Proposal = (job) => {
  const option = takes(job, 'minibatch') ? 'minibatch' : 'batch';
  const size = Math.floor(Number(job.options[option] ?? 0) / 2);
  if (size < 1) return undefined;
  const accumulate = takes(job, 'accumulate') ? 2 * Number(job.options.accumulate ?? 1) : undefined;
  const text = `${option}=${size}${accumulate === undefined ? '' : ` accumulate=${accumulate}`}`;
  return { text, job: changed(job, { [option]: size, ...(accumulate !== undefined && { accumulate }) }) };
};

/** A shorter one is of no use. */
const SHORTEST_CONTEXT = 32;

/** Half the context of a model that the stage makes itself. */
const halvedContext: Proposal = (job) => {
  const { model } = job;
  const context = Math.floor(Number(model?.options.context) / 2);
  if (!model || !(context >= SHORTEST_CONTEXT)) return undefined;
  return {
    text: `context=${context}`,
    job: { ...job, model: { ...model, options: { ...model.options, context } } },
  };
};

/** To be told at the stage. */
export function doesNotFit(
  job: Job,
  { parts, peakBytes }: StageMemory,
  memoryBytes: number,
  fixes: readonly PlannedFix[],
): StageError {
  const { message, notes, help } = words['not-enough-memory']({
    stage: job.id,
    neededBytes: peakBytes,
    availableBytes: memoryBytes,
    largest: [...parts].sort((a, b) => b.bytes - a.bytes).slice(0, 3),
    fixes: fixes.map(({ change, peak_bytes, fits }) => ({ change, bytes: peak_bytes, fits })),
  });
  return new StageError('not-enough-memory', message, { notes: notes ?? [], help: help ?? [] });
}
