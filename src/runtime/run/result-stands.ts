/** Whether a job's result still counts, and why the job runs again where it does not. */
import { resolve } from 'node:path';
import type { Job } from '../../compiler/graph/graph.ts';
import type { Store, StoredResult } from '../store/store.ts';
import { plannedModel } from './existing-model.ts';
import { exportStands } from './exported-files.ts';
import type { KeyParts } from './keys.ts';
import { linkStands } from './model-link.ts';
import type { PlannedStage } from './plan-types.ts';
import { differenceOf, nearestParts } from './why.ts';

/** What is outside the store must still be there, as it was written, for a result to count. */
export async function outputsStand(
  job: Job,
  root: string,
  { artifacts }: StoredResult,
  store: Store,
): Promise<boolean> {
  if (job.kind === 'open') {
    const model = await plannedModel(job, root);
    const links = Object.values(artifacts).map((hash) => linkStands(store.artifact(hash), model));
    return (await Promise.all(links)).every((stands) => stands);
  }
  if (artifacts.files === undefined) return true;
  return exportStands(resolve(root, String(job.options.to)), store.artifact(artifacts.files));
}

/** Why a job would run, or would not, in a few words. */
export async function reasonFor(
  action: PlannedStage['action'],
  job: Job,
  parts: KeyParts,
  found: StoredResult | undefined,
  store: Store,
  step: number | undefined,
): Promise<string> {
  if (action === 'cached') return 'unchanged';
  if (action === 'resume') return `stopped at step ${step}`;
  if (found && job.kind === 'open') return 'the model has been moved';
  if (found) return `\`${job.options.to}\` is gone or was changed`;
  const earlier = (await store.earlier(job.id, job.kind)).flatMap((result) => result.parts ?? []);
  const before = nearestParts(earlier, parts);
  return before ? differenceOf(before, parts, job) : 'never run';
}
