/** What estimates of several stages share: sizes of models, methods and steps. */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import type { AppliedMethod } from '../../methods/method.ts';
import type { ParameterSpec } from '../../models/model.ts';
import { sizeOf } from '../../programs/program.ts';
import type { EstimateContext, PlannedModel } from '../stage.ts';
import { StageError } from '../stage.ts';

export interface MethodSizes {
  readonly method: AppliedMethod;
  /** Elements of the base model, and of what is trained. */
  readonly parameters: { readonly total: number; readonly trainable: number };
  /** What the stage writes: an adapter, or the whole model. */
  readonly diskBytes: number;
  /** The optimizer's state and the gradients, which live beside the program. */
  readonly besides: number;
  readonly notes: readonly string[];
}

const BYTES = 4;

/** `heads`: what is trained beside the model's own tensors. */
export function methodSizes(
  context: EstimateContext,
  { family, config }: PlannedModel,
  heads: readonly Pick<ParameterSpec, 'name' | 'shape'>[] = [],
): MethodSizes {
  const method = context.method(family, config);
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
  return {
    method,
    parameters: { total: whole, trainable },
    diskBytes: (method.adapter ? added : whole) * BYTES,
    besides: trainable * BYTES + state.memory,
    notes:
      state.file === 0
        ? []
        : [`${readableBytes(state.file)} of optimizer state lie in a file while the stage runs`],
  };
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
