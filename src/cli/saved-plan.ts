/** A plan in a file: the plan itself, and what it takes to make it again and see whether it still holds. */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { DiagnosticError, diagnose } from '../compiler/diagnostics/diagnostic.ts';
import type { StageRange } from '../runtime/run/choose-jobs.ts';
import type { DeviceNumbers, Plan } from '../runtime/run/plan-types.ts';

/** The arguments that a plan was made with. */
export interface PlanSource extends StageRange {
  /** Relative to the plan's reader: as it was written on the command line. */
  readonly file: string;
  readonly pipeline?: string;
  readonly profile?: string;
  readonly set: readonly string[];
  readonly device: string;
  /** Bytes; absent: of the machine that plans. */
  readonly memoryBytes?: number;
  readonly numbers?: DeviceNumbers;
  readonly store?: string;
}

export interface SavedPlan extends Plan {
  readonly source: PlanSource;
}

export function saveablePlan(plan: Plan, source: PlanSource): SavedPlan {
  return { ...plan, source };
}

/**
 * The plan in a file; undefined where the file is none of ours to read (a pipeline).
 * @throws DiagnosticError `not-a-plan` where it looks like one and is broken or of another version.
 */
export async function readSavedPlan(path: string): Promise<SavedPlan | undefined> {
  if (path.endsWith('.ftp')) return undefined;
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined || (!path.endsWith('.json') && !text.trimStart().startsWith('{'))) return undefined;
  const plan = parseSavedPlan(text);
  if (typeof plan === 'string') throw new DiagnosticError(diagnose('not-a-plan', { path, why: plan }));
  return plan;
}

/** The plan, or why the text is none. */
export function parseSavedPlan(text: string): SavedPlan | string {
  let plan: Partial<SavedPlan> | null;
  try {
    plan = JSON.parse(text) as Partial<SavedPlan> | null;
  } catch {
    return 'it is not JSON';
  }
  if (typeof plan !== 'object' || plan === null) return 'it holds no object';
  if (typeof plan.format_version !== 'string') return 'it has no `format_version`';
  if (plan.format_version.split('.')[0] !== '1')
    return `it has format ${plan.format_version}, and this ftc reads 1`;
  if (!Array.isArray(plan.stages) || typeof plan.source?.file !== 'string')
    return 'it was not written by `ftc plan --out`';
  return plan as SavedPlan;
}

/** What no longer holds of a plan, in words; empty where a run may execute it. */
export function whatIsStale(saved: Plan, now: Plan): readonly string[] {
  const ids = (plan: Plan) => plan.stages.map(({ id }) => id);
  if (!isDeepStrictEqual(ids(saved), ids(now))) {
    return [`the stages were ${ids(saved).join(' → ')} and are ${ids(now).join(' → ')}`];
  }
  return saved.stages.flatMap((before, i) => {
    const after = now.stages[i]!;
    if (before.key !== after.key) return [`\`${before.id}\` changed: ${after.reason}`];
    const lost = before.action === 'cached' && after.action !== 'cached';
    return lost ? [`\`${before.id}\` was cached and its result is gone`] : [];
  });
}
