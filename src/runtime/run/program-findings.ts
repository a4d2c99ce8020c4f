/** What a stage's programs show about its options on this model: which do nothing, and what `auto` decided. */
import { words } from '../../compiler/diagnostics/words.ts';
import type { Job } from '../../compiler/graph/graph.ts';
import { nodesOf, type Program } from '../programs/program.ts';
import { type PlannedWork, StageError } from '../stages/stage.ts';
import { type FittedProgram, recomputeOption } from './fit-program.ts';

export interface ProgramFindings {
  /** An option that does nothing and must not be written. */
  readonly problem?: StageError;
  readonly notes: readonly string[];
}

/** A program as the stage builds it, and as an executable gets it. */
export interface Finished {
  readonly work: Omit<PlannedWork, 'runs'>;
  readonly program: Program;
  readonly recompute: FittedProgram['recompute'];
}

/** Said where `auto` decided so. */
const RECOMPUTED =
  'blocks are computed again in the backward pass, which takes longer: a step would not fit into the free memory';
/** It changes no number, so it may be written. */
const NOTHING_RECOMPUTED = '`recompute=blocks` does nothing here: no gradient goes back through a block';

export function programFindings(job: Job, finished: readonly Finished[]): ProgramFindings {
  const inCodes = finished.filter(({ work }) => work.eightBit);
  return {
    ...(inCodes.length > 0 && !has('matmulCodes', inCodes) && { problem: nothingFrozen(job) }),
    notes: recomputeNotes(job, finished),
  };
}

function recomputeNotes(job: Job, finished: readonly Finished[]): readonly string[] {
  const repeated = finished.filter(({ recompute }) => recompute === 'blocks');
  if (repeated.length === 0) return [];
  if (recomputeOption(job) === 'auto') return [RECOMPUTED];
  return has('after', repeated) ? [] : [NOTHING_RECOMPUTED];
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
