/**
 * What training a model needs on a device that keeps numbers in other formats than this machine: from its `config.json`
 * alone, no weight is read or made.
 */
import { liveBytes } from '../executables/onnx/live-bytes.ts';
import type { AppliedMethod } from '../methods/method.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { sizeOf } from '../programs/program.ts';
import { quantizedBytes } from '../quantization/quantized-bytes.ts';
import { languageModelProgram } from '../stages/parts/language-model-program.ts';
import { headIsTrained } from '../stages/parts/training.ts';
import type { StageMemory } from './plan-memory.ts';
import { finishProgram } from './program-passes.ts';

/** Bytes of a number, by what it is. */
export interface Storage {
  /** Weights that are not quantized, trained ones included. */
  readonly weights: number;
  readonly gradients: number;
  readonly activations: number;
}

/** As most large models are trained: bf16, the optimizer's state alone in f32. This machine keeps four bytes of each. */
export const half: Storage = { weights: 2, gradients: 2, activations: 2 };

export interface ModelMemoryRequest {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly method: AppliedMethod;
  /** Absent: the model only computes its loss. */
  readonly optimizer?: Optimizer;
  /** Rows at once, and tokens of a row. */
  readonly batch: number;
  readonly length: number;
  /** Default `none`. */
  readonly recompute?: 'none' | 'blocks';
  readonly storage: Storage;
}

/** The parts of the peak; neither the process nor what an engine copies for itself is among them. */
export function modelMemory(request: ModelMemoryRequest): StageMemory {
  const { family, config, method, optimizer, batch, length, recompute = 'none', storage } = request;
  const base = family.parameters(config);
  const shapes = new Map([...base, ...method.added].map(({ name, shape }) => [name, shape]));
  const trained = new Map(method.trainable.map((name) => [name, shapes.get(name)!]));
  const numbers = (some: Iterable<readonly number[]>) => [...some].reduce((n, shape) => n + sizeOf(shape), 0);
  const isTrained = ({ name }: { readonly name: string }) => trained.has(name);
  const formatOf = ({ name }: { readonly name: string }) => method.quantized?.get(name);
  const inCodes = base.filter(formatOf);
  const asTheyAre = base.filter((spec) => !formatOf(spec) && !isTrained(spec));
  const headTrainable = headIsTrained(family, config, method);
  const program = finishProgram(
    () => languageModelProgram({ family, config, batch, length, headTrainable }),
    {
      adapt: method,
      quantized: method.quantized,
      recompute,
      ...(optimizer && { trainable: method.trainable }),
    },
  );
  const live = liveBytes(program, storage.activations);
  const gradients = optimizer ? numbers(trained.values()) : 0;
  const all = {
    'quantized weights': inCodes.reduce((n, spec) => n + quantizedBytes(spec.shape, formatOf(spec)!), 0),
    weights: storage.weights * numbers(asTheyAre.map(({ shape }) => shape)),
    'trained weights': storage.weights * numbers(trained.values()),
    gradients: storage.gradients * gradients,
    'optimizer state': optimizer?.stateBytes(trained).memory ?? 0,
    activations: live.activations + live.outputs - storage.activations * gradients,
  } as const;
  const parts = Object.entries(all).flatMap(([name, bytes]) =>
    bytes > 0 ? [{ name: name as keyof typeof all, bytes: Math.round(bytes) }] : [],
  );
  return { parts, peakBytes: parts.reduce((n, { bytes }) => n + bytes, 0) };
}
