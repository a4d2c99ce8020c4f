/** What an optimizer of the catalog is. */
import type { CallEntry, Json, OptionSchema } from '../../compiler/catalog.ts';
import type { Shape } from '../programs/ops.ts';
import type { Optimizer } from './optimizer.ts';
import type { OpenPages } from './paged.ts';

export interface OptimizerKind {
  /**
   * Its options are those of a training stage that it uses; a default that is missing here is the stage's own. Options that
   * only other optimizers use are refused beside it.
   */
  readonly entry: CallEntry;
  /** `options` are the stage's. */
  create(options: { readonly [name: string]: Json }, made: Surroundings): Optimizer;
}

export interface Surroundings {
  /** Of every trained tensor. */
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly openPages: OpenPages;
}

type Options = { readonly [name: string]: OptionSchema };

const defaultNote = "the stage's";

/** Norms and biases are left as they are. */
export const decaysIn =
  ({ shapes }: Surroundings) =>
  (name: string): boolean =>
    (shapes.get(name)?.length ?? 0) >= 2;

export const weightDecayOption: Options = {
  weight_decay: {
    description: 'decoupled weight decay: a step takes lr · weight_decay of every matrix away',
    type: 'number',
    minimum: 0,
    defaultNote,
  },
};

/** A decay of a moment: how much of it stays. */
export const decayOption = (description: string, value?: number): OptionSchema => ({
  description,
  type: 'number',
  minimum: 0,
  exclusiveMaximum: 1,
  ...(value === undefined ? { defaultNote } : { default: value }),
});

/** Of everything that keeps Adam's two moments. */
export const adamOptions: Options = {
  ...weightDecayOption,
  beta1: decayOption('decay of the first moment'),
  beta2: decayOption('decay of the second moment'),
  epsilon: {
    description: 'added to the root of the second moment',
    type: 'number',
    exclusiveMinimum: 0,
    defaultNote,
  },
};
