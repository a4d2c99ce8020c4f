/** Options that do nothing for this model, as only the stage's programs show. */
import { words } from '../../compiler/diagnostics/words.ts';
import type { Job } from '../../compiler/graph/graph.ts';
import { nodesOf, type Program } from '../programs/program.ts';
import { type PlannedWork, StageError } from '../stages/stage.ts';

export interface IdleOptions {
  /** What must not be written. */
  readonly problem?: StageError;
  /** What may be: it changes no number. */
  readonly notes: readonly string[];
}

/** A program as the stage builds it, and as an executable gets it. */
export interface Finished {
  readonly work: Omit<PlannedWork, 'runs'>;
  readonly program: Program;
}

export function idleOptions(job: Job, finished: readonly Finished[]): IdleOptions {
  const inCodes = finished.filter(({ work }) => work.eightBit);
  const trained = finished.filter(({ work }) => work.trainable);
  const repeatsNothing = job.options.recompute === 'blocks' && !has('after', trained);
  return {
    ...(inCodes.length > 0 && !has('matmulCodes', inCodes) && { problem: nothingFrozen(job) }),
    notes: repeatsNothing
      ? ['`recompute=blocks` does nothing here: no gradient goes back through a block']
      : [],
  };
}

const has = (op: 'after' | 'matmulCodes', finished: readonly Finished[]): boolean =>
  finished.some(({ program }) => nodesOf(program).some((node) => node.op === op));

function nothingFrozen({ method }: Job): StageError {
  const { message, notes, help } = words['without-effect']({
    name: 'precision',
    beside: method!.name,
    note: 'int8 is for products with frozen weights, and here every product is with trained ones, or too small',
  });
  return new StageError('without-effect', message, {
    option: 'precision',
    notes: notes ?? [],
    help: help ?? [],
  });
}
