/** Rows that `eval` cannot measure: known when it is planned, and said again where it runs. */
import { StageError } from '../stage.ts';

export const noRowsIn = (split: string): StageError =>
  new StageError('too-few-rows', `the ${split} split has no rows`, {
    option: 'data',
    help: ['give the data a larger share of held-out rows: `→ split(test=10%)`'],
  });

export const noRewardModel = (): StageError =>
  new StageError(
    'missing-slot',
    'preference rows are measured with a reward model, and none reaches this stage',
    { option: 'data', help: ['put the `eval` after an `rm` stage, or give it prompts with completions'] },
  );
