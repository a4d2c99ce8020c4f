/** The most memory that a stage takes on a device that keeps numbers in other formats than this machine. */
import { liveBytes } from '../executables/onnx/live-bytes.ts';
import { bytesOf } from '../programs/cost.ts';
import { type Program, parametersOf, sizeOf } from '../programs/program.ts';
import type { HeldBytes } from '../stages/stage.ts';
import { codeNames, type LoadedProgram, type MemoryPartName, type StageMemory } from './plan-memory.ts';
import { fitsInMemory } from './scratch.ts';

/** Bytes of a number, by what it is. */
export interface Storage {
  /** Weights that are not quantized, trained ones included. */
  readonly weights: number;
  readonly gradients: number;
  readonly activations: number;
}

/** As most large models are trained: bf16, the optimizer's state alone in f32. This machine keeps four bytes of each. */
export const half: Storage = { weights: 2, gradients: 2, activations: 2 };

/** What `held` counts in. */
const F32 = 4;

/**
 * `programs` run one after another, and what they compute lies where the last one's lay. Neither the process nor what an
 * engine copies for itself is among the parts, nor rows and the originals of what is trained, which this machine keeps.
 */
export function storedMemory(
  held: Partial<HeldBytes>,
  programs: readonly LoadedProgram[],
  storage: Storage,
): StageMemory {
  const trained = new Set(programs.flatMap(({ work }) => work.trainable ?? []));
  const [weights, codes, own] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const { program } of programs) {
    const coded = codeNames(program);
    for (const node of parametersOf(program)) {
      const { name } = node.attributes;
      if (coded.has(name)) codes.set(name, bytesOf(node));
      else (trained.has(name) ? own : weights).set(name, storage.weights * sizeOf(node.shape));
    }
  }
  const computed = programs.map(({ program }) => computedBytes(program, storage));
  const share = { weights: storage.weights / F32, activations: storage.activations / F32 };
  const rows = held.rows ?? 0;
  const all: Partial<Record<MemoryPartName, number>> = {
    'quantized weights': sum(codes.values()),
    weights: sum(weights.values()) + share.weights * (held.weights ?? 0),
    'trained weights': sum(own.values()),
    gradients: Math.max(0, ...computed.map(({ gradients }) => gradients)),
    'optimizer state': held.optimizer ?? 0,
    'key/value cache': share.activations * (held.cache ?? 0),
    'frozen blocks': fitsInMemory(rows) ? share.activations * rows : 0,
    activations: Math.max(0, ...computed.map(({ activations }) => activations)),
  };
  const parts = Object.entries(all).flatMap(([name, bytes]) =>
    bytes > 0 ? [{ name: name as MemoryPartName, bytes: Math.round(bytes) }] : [],
  );
  return { parts, peakBytes: sum(parts.map(({ bytes }) => bytes)) };
}

/** Of one program: its gradients, which are results of it, and everything else that it computes. */
function computedBytes(program: Program, storage: Storage): { gradients: number; activations: number } {
  const live = liveBytes(program, storage.activations);
  const numbers = sum(
    [...program.outputs].map(([name, { shape }]) => (name.startsWith('grad:') ? sizeOf(shape) : 0)),
  );
  return {
    gradients: storage.gradients * numbers,
    activations: live.activations + live.outputs - storage.activations * numbers,
  };
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
