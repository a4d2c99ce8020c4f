/** From an estimate's programs to bytes and seconds. */
import { bytesOf, programSeconds, type Speed } from '../programs/cost.ts';
import { type Program, parametersOf } from '../programs/program.ts';
import type { Estimate, PlannedWork } from '../stages/stage.ts';
import { type StageMemory, stageMemory } from './plan-memory.ts';
import { finishProgram } from './program-passes.ts';

/** Estimated seconds are measured ones within this factor, either way. */
const SPREAD = 1.6;
/** Starting a stage: opening the model, compiling programs. */
const SECONDS_A_PROGRAM = 0.15;

export interface Costs {
  readonly memory: StageMemory;
  readonly seconds: { readonly low: number; readonly high: number };
}

/** `finish` makes the program that is executed. */
export function costsOf(
  estimate: Estimate,
  speed: Speed,
  finish: (work: PlannedWork) => Program = wholeProgram,
): Costs {
  const loaded = estimate.work
    .filter(({ runs }) => runs > 0)
    .map((work) => ({ work, program: finish(work) }));
  const seconds = loaded.reduce(
    (n, { work, program }) => n + work.runs * programSeconds(program, speed) + SECONDS_A_PROGRAM,
    0,
  );
  return {
    memory: stageMemory(estimate.held ?? {}, loaded),
    seconds: { low: seconds / SPREAD, high: seconds * SPREAD },
  };
}

/** The program as it is executed: with gradients where it trains, optimised. */
const wholeProgram = (work: PlannedWork): Program => finishProgram(() => work.program, work);

/** The most memory that a process takes which runs this program and nothing else. */
export function peakBytes(
  program: Program,
  { trainable = [], besides = 0 }: Pick<PlannedWork, 'trainable' | 'besides'>,
): number {
  const wanted = new Set(trainable);
  const gradients = parametersOf(program)
    .filter((node) => wanted.has(node.attributes.name))
    .reduce((n, node) => n + bytesOf(node), 0);
  return stageMemory({ optimizer: Math.max(0, besides - gradients) }, [{ work: { trainable }, program }])
    .peakBytes;
}
