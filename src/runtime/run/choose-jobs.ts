/** Which jobs a run goes through: all of them, or what `--only`, `--from` and `--until` leave. */
import type { Job } from '../../compiler/graph/graph.ts';
import { StageError } from '../stages/stage.ts';
import type { Plan } from './plan-types.ts';

export interface StageRange {
  /** The same as `from` and `until` with one label. */
  readonly only?: string;
  readonly from?: string;
  readonly until?: string;
}

/**
 * The jobs of the range, and before them those with a result that the range may read. Errors: StageError where a job
 * before the range is needed (its output is read, or it is a gate) and has no result yet.
 */
export function chooseJobs(jobs: readonly Job[], plan: Plan, { only, from, until }: StageRange): Job[] {
  const at = (label: string | undefined, otherwise: number) =>
    label === undefined ? otherwise : jobs.findIndex((job) => job.id === label);
  const first = at(only ?? from, 0);
  const last = at(only ?? until, jobs.length - 1);
  const chosen = jobs.slice(first, last + 1);
  const read = new Set(chosen.flatMap((job) => job.inputs.map((input) => input.from)));
  const isCached = (job: Job) => plan.stages.find(({ id }) => id === job.id)!.action === 'cached';
  const before = jobs.slice(0, first);
  const missing = before.find((job) => !isCached(job) && (read.has(job.id) || job.kind === 'gate'));
  if (missing)
    throw new StageError(
      'stage-failed',
      `\`${chosen[0]!.id}\` needs \`${missing.id}\`, which has no result yet`,
      { help: [`run with \`--from ${missing.id}\`, or without \`--only\` and \`--from\``] },
    );
  return [...before.filter(isCached), ...chosen];
}
