/** Whether a step keeps what its blocks compute or computes it again: decided by the memory that is free. */
import type { Job } from '../../compiler/graph/graph.ts';
import type { Program } from '../programs/program.ts';
import type { PlannedWork, Treatment } from '../stages/stage.ts';
import { peakBytes } from './plan-costs.ts';
import { finishProgram } from './program-passes.ts';
import type { Storage } from './stored-memory.ts';

export type RecomputeOption = 'auto' | 'none' | 'blocks';

/** Of what is free, the part that a step may be predicted to take before `auto` trades time for memory. */
const SHARE = 0.8;

export const recomputeOption = ({ options }: Job): RecomputeOption =>
  (options.recompute ?? 'auto') as RecomputeOption;

export interface FittedProgram {
  /** As an executable gets it. */
  readonly program: Program;
  readonly recompute: NonNullable<Treatment['recompute']>;
}

/** `freeBytes`: of this machine, or of the container that it is. `storage`: of another device. */
export function fitProgram(
  work: Omit<PlannedWork, 'runs'>,
  option: RecomputeOption = 'none',
  freeBytes: number = process.availableMemory(),
  storage?: Storage,
): FittedProgram {
  const finish = (recompute: FittedProgram['recompute']): FittedProgram => ({
    program: finishProgram(() => work.program, { ...work, recompute }),
    recompute,
  });
  if (work.trainable === undefined || option === 'none') return finish('none');
  if (option === 'blocks') return finish('blocks');
  const kept = finish('none');
  return peakBytes(kept.program, work, storage) <= SHARE * freeBytes ? kept : finish('blocks');
}
