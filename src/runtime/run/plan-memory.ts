/** The most memory that the engine's process takes in a stage, from the programs it loads and the arrays it keeps. */
import { type SessionMemory, sessionMemory } from '../executables/onnx/session-memory.ts';
import { bytesOf } from '../programs/cost.ts';
import { nodesOf, type Program, parametersOf } from '../programs/program.ts';
import { scaleOfEightBits } from '../quantization/eight-bit-weights.ts';
import { partsOf } from '../quantization/quantized-parameters.ts';
import type { HeldBytes, PlannedWork } from '../stages/stage.ts';
import { fitsInMemory } from './scratch.ts';

/**
 * Node, onnxruntime and ftc's own code with a session that has run, a tokenizer and a few hundred rows: what the engine of
 * a small stage takes beyond all that is counted here. Measured, as are the next two, with `bench/memory.ts` (node 20.20,
 * onnxruntime 1.30, Linux x64).
 */
const PROCESS_BYTES = 127e6;
/** What the heap grows by while programs are made, at most: its young part has a largest size. */
const HEAP_BYTES_A_NODE = 20e3;
const MOST_HEAP_BYTES = 28e6;

/** What a part is; `loading` is what the last program takes while it is loaded, where that is the most. */
export type MemoryPartName =
  | 'process'
  | 'weights'
  | 'quantized weights'
  | 'packed weights'
  | 'trained weights'
  | 'gradients'
  | 'optimizer state'
  | 'activations'
  | 'key/value cache'
  | 'frozen blocks'
  | 'rows'
  | 'constants'
  | 'loading';

export interface MemoryPart {
  readonly name: MemoryPartName;
  readonly bytes: number;
}

export interface StageMemory {
  /** Those that are not 0; together the peak. */
  readonly parts: readonly MemoryPart[];
  readonly peakBytes: number;
}

/** A program as it is executed, with what is known of the work. */
export interface LoadedProgram {
  readonly work: Pick<PlannedWork, 'trainable' | 'weights' | 'released'>;
  readonly program: Program;
}

/** `programs` in the order in which they are loaded; each stays until the stage ends, but for those that are released. */
export function stageMemory(held: Partial<HeldBytes>, programs: readonly LoadedProgram[]): StageMemory {
  const trained = new Set(programs.flatMap(({ work }) => work.trainable ?? []));
  const weights = new Map<string, number>();
  const codes = new Map<string, number>();
  const copies = new Map<string, number>();
  for (const { program } of programs) {
    const coded = codeNames(program);
    for (const node of parametersOf(program)) {
      const { name } = node.attributes;
      (trained.has(name) ? copies : coded.has(name) ? codes : weights).set(name, bytesOf(node));
    }
  }
  const nodes = sum(programs.map(({ program }) => nodesOf(program).length));
  const kept = {
    process: PROCESS_BYTES + Math.min(MOST_HEAP_BYTES, HEAP_BYTES_A_NODE * nodes),
    weights: sum(weights.values()) + (held.weights ?? 0) + (held.originals ?? 0),
    'quantized weights': sum(codes.values()),
    'trained weights': sum(copies.values()),
    'optimizer state': held.optimizer ?? 0,
    'key/value cache': held.cache ?? 0,
    'frozen blocks': fitsInMemory(held.rows ?? 0) ? (held.rows ?? 0) : 0,
    rows: held.index ?? 0,
  };
  const loaded = programs.map((one) => ({ ...one, session: sessionOf(one, trained) }));
  const together = withSessions(
    kept,
    loaded.filter(({ work }) => !work.released),
  );
  const alone = loaded.filter(({ work }) => work.released).map((one) => withSessions(kept, [one]));
  return [together, ...alone].reduce((most, one) => (one.peakBytes > most.peakBytes ? one : most));
}

/** Parameters that are codes of a weight, or scales of its codes. */
export function codeNames(program: Program): ReadonlySet<string> {
  const codes = parametersOf(program).flatMap(({ dtype, attributes }) =>
    dtype === 'f32' ? [] : [attributes.name],
  );
  const scales = codes.flatMap((name) => [
    scaleOfEightBits(name),
    ...Object.values(partsOf(name.replace(/\.codes$/, ''))),
  ]);
  return new Set([...codes, ...scales]);
}

/** What is not trained is kept by the session; nothing where every weight is fed. */
function sessionOf({ work, program }: LoadedProgram, trained: ReadonlySet<string>): SessionMemory {
  const names = work.weights === 'fed' ? [] : parametersOf(program).map((node) => node.attributes.name);
  const frozen = new Set(names.filter((name) => !trained.has(name)));
  const before = known.get(program);
  if (before && before.frozen.size === frozen.size && [...frozen].every((name) => before.frozen.has(name)))
    return before.memory;
  const memory = sessionMemory(program, { frozen });
  known.set(program, { frozen, memory });
  return memory;
}

/** A program is looked at when it is chosen, and when it is planned. */
const known = new WeakMap<
  Program,
  { readonly frozen: ReadonlySet<string>; readonly memory: SessionMemory }
>();

function withSessions(
  kept: Readonly<Partial<Record<MemoryPartName, number>>>,
  loaded: readonly (LoadedProgram & { readonly session: SessionMemory })[],
): StageMemory {
  const total = (value: (session: SessionMemory) => number) =>
    sum(loaded.map(({ session }) => value(session)));
  // Results are handed out as copies; those of the last run are freed before the next.
  const most = loaded.reduce((n, { program }) => Math.max(n, bytesOut(program)), 0);
  const gradients = loaded.map(({ program }) => bytesOut(program, GRADIENT));
  const copied = Math.max(0, ...gradients);
  const arena = total((one) => one.activations + one.outputs);
  const last = loaded.at(-1)?.session;
  const running = most + (last ? last.activations + last.outputs : 0);
  const all: Partial<Record<MemoryPartName, number>> = {
    ...kept,
    'packed weights': total((one) => one.packed),
    gradients: copied + sum(gradients),
    activations: arena - sum(gradients) + most - copied,
    constants: total((one) => one.constants + one.graph),
    loading: Math.max(0, (last?.loading ?? 0) - running),
  };
  const parts = Object.entries(all)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => ({ name: name as MemoryPartName, bytes: Math.round(bytes) }));
  return { parts, peakBytes: sum(parts.map(({ bytes }) => bytes)) };
}

const GRADIENT = 'grad:';

/** Of the results whose names start so. */
function bytesOut({ outputs }: Program, start = ''): number {
  return sum([...outputs].flatMap(([name, node]) => (name.startsWith(start) ? [bytesOf(node)] : [])));
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
