/** What estimates of several stages share: sizes of models, methods and steps. */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import { codesAfter, keepingCodes } from '../../methods/kept-codes.ts';
import type { AppliedMethod } from '../../methods/method.ts';
import type { ParameterSpec } from '../../models/model.ts';
import { sizeOf } from '../../programs/program.ts';
import { eightBitOf } from '../parts/eight-bit.ts';
import type { EstimateContext, HeldBytes, PlannedModel, Treatment } from '../stage.ts';
import { StageError } from '../stage.ts';

export interface MethodSizes {
  readonly method: AppliedMethod;
  /** How the method's programs are treated. */
  readonly treatment: Pick<Treatment, 'adapt' | 'quantized' | 'eightBit'>;
  /** Elements of the base model, and of what is trained. */
  readonly parameters: { readonly total: number; readonly trainable: number };
  /** What the stage writes: an adapter, or the whole model. */
  readonly diskBytes: number;
  /** The optimizer's state and the gradients, which live beside the program. */
  readonly besides: number;
  /** What lives beside all of the stage's programs. */
  readonly held: Pick<HeldBytes, 'weights' | 'originals' | 'optimizer'>;
  /** Of the optimizer's state, where it lies in a file. */
  readonly scratchBytes: number;
  /** The model that the stage makes. */
  readonly made: PlannedModel;
  readonly notes: readonly string[];
}

const BYTES = 4;
/** Of a number in codes, once for each direction. */
const EIGHT_BITS_PACKED = 2;

/** `heads`: what is trained beside the model's own tensors. */
export function methodSizes(
  context: EstimateContext,
  model: PlannedModel,
  heads: readonly Pick<ParameterSpec, 'name' | 'shape'>[] = [],
): MethodSizes {
  const { family, config } = model;
  const method = keepingCodes(context.method(family, config), (name) => model.codes?.get(name));
  const eightBit = eightBitOf(context.job.options, method);
  const specs = [...family.parameters(config), ...method.added];
  const elements = new Map(specs.map((spec) => [spec.name, sizeOf(spec.shape)]));
  const trained = new Set(method.trainable);
  const shapes = new Map(
    [...specs.filter(({ name }) => trained.has(name)), ...heads].map(({ name, shape }) => [name, shape]),
  );
  const state = context.optimizerBytes(shapes);
  const added = method.added.reduce((n, spec) => n + sizeOf(spec.shape), 0);
  const whole = [...elements.values()].reduce((a, b) => a + b, 0);
  const trainable = method.trainable.reduce((n, name) => n + (elements.get(name) ?? 0), 0);
  // The policy that is trained from stays what it was.
  const base = family.parameters(config).filter(({ name }) => trained.has(name));
  const originals = base.reduce((n, { shape }) => n + sizeOf(shape), 0);
  // While the first batch is measured, frozen weights lie in f32 beside their codes, which are packed after that.
  const measured = eightBit ? whole - trainable - added : 0;
  return {
    method,
    treatment: { adapt: method, quantized: method.quantized, eightBit },
    parameters: { total: whole, trainable },
    diskBytes: (method.adapter ? added : whole) * BYTES,
    besides: trainable * BYTES + state.memory,
    held: {
      weights: measured * (BYTES - EIGHT_BITS_PACKED),
      originals: originals * BYTES,
      optimizer: state.memory,
    },
    scratchBytes: state.file,
    made: madeOf(context.job.id, model, method),
    notes: [
      ...(state.file > 0
        ? [`${readableBytes(state.file)} of optimizer state lie in a file while the stage runs`]
        : []),
    ],
  };
}

/** Tensors of the model that a stage makes: all of them its own, or those that its adapter changes in the base. */
function madeOf(stage: string, model: PlannedModel, method: AppliedMethod): PlannedModel {
  const { family, config } = model;
  const adapters = method.added.map(({ name }) => name);
  const isOwn = (name: string) =>
    !method.adapter ||
    method.quantized?.has(name) ||
    adapters.some((added) => added.startsWith(`base_model.model.${name.replace(/weight$/, '')}`));
  const own = family.parameters(config).filter(({ name }) => isOwn(name));
  const bytes = BYTES * own.reduce((n, { shape }) => n + sizeOf(shape), 0);
  const below = method.adapter ? tensorsOf(model) : [];
  const codes = codesAfter(method, model.codes ?? new Map());
  return { ...model, tensors: [...below, { stage, bytes }], codes };
}

/** Tensors of a model whose making is not known count as those of one stage. */
function tensorsOf({ family, config, tensors }: PlannedModel): NonNullable<PlannedModel['tensors']> {
  if (tensors) return tensors;
  const elements = family.parameters(config).reduce((n, { shape }) => n + sizeOf(shape), 0);
  return [{ stage: '', bytes: elements * BYTES }];
}

/** Of the tensors of one model those that another does not share. */
export function bytesBeside(model: PlannedModel, other: PlannedModel): number {
  const shared = new Set(tensorsOf(other).map(({ stage }) => stage));
  return tensorsOf(model).reduce((n, { stage, bytes }) => (shared.has(stage) ? n : n + bytes), 0);
}

/** The model that reaches the stage. Errors: StageError where none does. */
export function modelOf(context: EstimateContext): PlannedModel {
  if (!context.model) throw new StageError('missing-slot', 'no policy reaches this stage');
  return context.model;
}

export const cap = (steps: number, context: EstimateContext): number =>
  Math.min(Math.max(1, Math.ceil(steps)), Number(context.job.options.max_steps ?? Number.POSITIVE_INFINITY));

export const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** Batches of a held-out evaluation, made before the first step and after the last, and every `eval_every` steps. */
export function evaluationRuns(context: EstimateContext, batches: number, steps: number): number {
  const every = Number(context.job.options.eval_every ?? 0);
  return batches * (2 + (every > 0 ? Math.floor((steps - 1) / every) : 0));
}
