/** Which jobs a plan goes through: all of them, or what `--only`, `--from` and `--until` leave. */
import type { Job } from '../../compiler/graph/graph.ts';
import { StageError } from '../stages/stage.ts';

/** Labels of stages of the pipeline. */
export interface StageRange {
  /** The same as `from` and `until` with one label. */
  readonly only?: string;
  /** This stage and what follows: they run again though their results are kept. */
  readonly from?: string;
  readonly until?: string;
}

export interface ChosenJobs {
  readonly before: readonly Job[];
  readonly within: readonly Job[];
  /** What asks for a job of the range that has a result to run again: `--from`; absent where nothing does. */
  readonly again?: string;
}

export function chooseJobs(jobs: readonly Job[], { only, from, until }: StageRange): ChosenJobs {
  const at = (label: string | undefined, otherwise: number) =>
    label === undefined ? otherwise : jobs.findIndex((job) => job.id === label);
  const first = at(only ?? from, 0);
  const last = at(only ?? until, jobs.length - 1);
  const again = only !== undefined ? '--only' : from !== undefined ? '--from' : undefined;
  return {
    before: jobs.slice(0, first),
    within: jobs.slice(first, last + 1),
    ...(again !== undefined && { again }),
  };
}

/** The first job before the range that it needs (its output is read, or it is a gate) and that has no result. */
export function missingBefore(
  { before, within }: ChosenJobs,
  hasResult: (job: Job) => boolean,
): Job | undefined {
  const read = new Set(within.flatMap((job) => job.inputs.map((input) => input.from)));
  return before.find((job) => !hasResult(job) && (read.has(job.id) || job.kind === 'gate'));
}

export function needsResultOf(missing: Job, { within }: ChosenJobs): StageError {
  return new StageError(
    'stage-failed',
    `\`${within[0]!.id}\` needs \`${missing.id}\`, which has no result yet`,
    { help: [`run with \`--from ${missing.id}\`, or without \`--only\` and \`--from\``] },
  );
}
