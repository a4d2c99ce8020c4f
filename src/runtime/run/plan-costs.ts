/** From an estimate's programs to bytes and seconds. */
import { bytesOf, programSeconds, type Speed } from '../programs/cost.ts';
import { type Program, parametersOf } from '../programs/program.ts';
import type { Estimate, HeldBytes, PlannedWork } from '../stages/stage.ts';
import { type LoadedProgram, type StageMemory, stageMemory } from './plan-memory.ts';
import { finishProgram } from './program-passes.ts';
import { type Storage, storedMemory } from './stored-memory.ts';

/** Estimated seconds are measured ones within this factor, either way. */
const SPREAD = 1.6;
/** Starting a stage: opening the model, compiling programs. */
const SECONDS_A_PROGRAM = 0.15;

export interface Costs {
  readonly memory: StageMemory;
  readonly seconds: { readonly low: number; readonly high: number };
}

/** `finish` makes the program that is executed; `storage`: of another device than this machine. */
export function costsOf(
  estimate: Estimate,
  speed: Speed,
  finish: (work: PlannedWork) => Program = wholeProgram,
  storage?: Storage,
): Costs {
  const loaded = estimate.work
    .filter(({ runs }) => runs > 0)
    .map((work) => ({ work, program: finish(work) }));
  const seconds = loaded.reduce(
    (n, { work, program }) => n + work.runs * programSeconds(program, speed) + SECONDS_A_PROGRAM,
    0,
  );
  return {
    memory: memoryOf(estimate.held ?? {}, loaded, storage),
    seconds: { low: seconds / SPREAD, high: seconds * SPREAD },
  };
}

/** On this machine; on another one where its number formats are given. */
const memoryOf = (
  held: Partial<HeldBytes>,
  loaded: readonly LoadedProgram[],
  storage?: Storage,
): StageMemory => (storage ? storedMemory(held, loaded, storage) : stageMemory(held, loaded));

/** The program as it is executed: with gradients where it trains, optimised. */
const wholeProgram = (work: PlannedWork): Program => finishProgram(() => work.program, work);

/** The most memory that a process takes which runs this program and nothing else. */
export function peakBytes(
  program: Program,
  { trainable = [], besides = 0 }: Pick<PlannedWork, 'trainable' | 'besides'>,
  storage?: Storage,
): number {
  const wanted = new Set(trainable);
  const gradients = parametersOf(program)
    .filter((node) => wanted.has(node.attributes.name))
    .reduce((n, node) => n + bytesOf(node), 0);
  const held = { optimizer: Math.max(0, besides - gradients) };
  return memoryOf(held, [{ work: { trainable }, program }], storage).peakBytes;
}
