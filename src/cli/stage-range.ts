/** `--only`, `--from` and `--until` as the labels of stages that are there. */
import { nearest } from '../compiler/diagnostics/nearest.ts';
import type { StageRange } from '../runtime/run/choose-jobs.ts';
import { UsageError } from './command.ts';

const flags = ['only', 'from', 'until'] as const;

/** What was written on the command line. @throws UsageError where `--only` has company */
export function givenRange(given: { readonly value: (flag: string) => string | undefined }): StageRange {
  const range = flags.flatMap((flag) => {
    const stage = given.value(flag);
    return stage === undefined ? [] : [[flag, stage] as const];
  });
  if (given.value('only') !== undefined && range.length > 1) {
    throw new UsageError('`--only` already says which stage: drop `--from` and `--until`');
  }
  return Object.fromEntries(range);
}

/** @throws UsageError for a stage that the pipeline does not have, and for a range that ends before it starts */
export function checkRange(range: StageRange, stages: readonly string[]): void {
  for (const flag of flags) {
    const stage = range[flag];
    if (stage === undefined || stages.includes(stage)) continue;
    const meant = nearest(stage, stages);
    throw new UsageError(
      `the pipeline has no stage \`${stage}\``,
      meant === undefined ? `its stages: ${stages.join(', ')}` : `did you mean \`--${flag} ${meant}\`?`,
    );
  }
  const { from, until } = range;
  if (from !== undefined && until !== undefined && stages.indexOf(from) > stages.indexOf(until)) {
    throw new UsageError(`\`${from}\` comes after \`${until}\``);
  }
}
