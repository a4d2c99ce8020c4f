/** From an estimate's programs to bytes and seconds. */
import { memoryCost, programSeconds, type Speed } from '../programs/cost.ts';
import { type Program, parametersOf } from '../programs/program.ts';
import type { Estimate, PlannedWork } from '../stages/stage.ts';
import { finishProgram } from './program-passes.ts';

/** Node, onnxruntime and ftc's own code, measured as the resident memory of an engine before its first program. */
const PROCESS_BYTES = 160e6;
/** A frozen matrix is kept packed for the forward and for the backward product beside the original. */
const PACKED_COPIES = 2;
/** Estimated seconds are measured ones within this factor, either way. */
const SPREAD = 1.6;
/** Starting a stage: opening the model, compiling programs. */
const SECONDS_A_PROGRAM = 0.15;

export interface Costs {
  readonly peakMemoryBytes: number;
  readonly seconds: { readonly low: number; readonly high: number };
}

/** `finish` makes the program that is executed. */
export function costsOf(
  estimate: Estimate,
  speed: Speed,
  finish: (work: PlannedWork) => Program = wholeProgram,
): Costs {
  let peak = 0;
  let seconds = 0;
  for (const work of estimate.work) {
    const program = finish(work);
    peak = Math.max(peak, peakBytes(program, work));
    seconds += work.runs * programSeconds(program, speed) + SECONDS_A_PROGRAM;
  }
  // Programs of one stage stay loaded together: their packed weights add up beyond the largest one.
  return {
    peakMemoryBytes: Math.round(peak),
    seconds: { low: seconds / SPREAD, high: seconds * SPREAD },
  };
}

/** The program as it is executed: with gradients where it trains, optimised. */
export const wholeProgram = (work: PlannedWork): Program => finishProgram(() => work.program, work);

/** The most memory that a process takes which runs this program and nothing else. */
export function peakBytes(
  program: Program,
  { trainable = [], besides = 0 }: Pick<PlannedWork, 'trainable' | 'besides'>,
): number {
  const { weightBytes, activationBytes } = memoryCost(program);
  const trained = trainedBytes(program, trainable);
  const frozen = weightBytes - trained;
  return PROCESS_BYTES + trained + frozen * (1 + PACKED_COPIES) + activationBytes + besides;
}

function trainedBytes(program: Program, trainable: readonly string[]): number {
  const wanted = new Set(trainable);
  return parametersOf(program)
    .filter((p) => wanted.has(p.attributes.name))
    .reduce((n, p) => n + 4 * p.shape.reduce((a, b) => a * b, 1), 0);
}
