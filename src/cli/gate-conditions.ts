import type { StageView } from './view-model.ts';

/** A gate's figures are its conditions; those that were met in an earlier run come as results. */
export function conditionsOf({ kind, conditions, results, state }: StageView): StageView['conditions'] {
  if (kind !== 'gate' || conditions.length > 0 || state !== 'cached') return conditions;
  return Object.entries(results).map(([text, value]) => ({ text, value, passed: true }));
}
