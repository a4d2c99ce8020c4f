/** Whether a gate asks for what the stage before it measures. */
import { words } from '../../compiler/diagnostics/words.ts';
import type { Condition } from '../../compiler/graph/graph.ts';
import { StageError } from '../stages/stage.ts';

/** Errors: StageError where a gate asks for what will not be measured of these rows. */
export function checkCondition(
  { job, metric }: Condition,
  { metrics }: { readonly metrics?: readonly string[] | undefined },
): void {
  if (metrics === undefined || metrics.includes(metric)) return;
  const { message, notes = [], help = [] } = words['unknown-metric']({ metric, stage: job, legal: metrics });
  throw new StageError('unknown-metric', message, {
    notes: [...notes, 'of rows of this kind, with these options'],
    help,
  });
}
