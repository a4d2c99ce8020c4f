/**
 * An optimizer as a chain of pieces. Each piece changes the update of a short run of elements in place; the chain takes
 * every tensor run by run, so that the whole chain works within the processor's cache: one pass over memory.
 */
import type { Flat, Optimizer } from './optimizer.ts';

/** Elements of one tensor that a piece works on: `update[i]` belongs to element `start + i`. */
export interface Run {
  /** At first the gradient, at last what is subtracted from the parameter. */
  readonly update: Float64Array;
  readonly parameter: Float32Array;
  /** The piece's own moments, whole tensors, in the order of `Piece.moments`. */
  readonly moments: readonly Float32Array[];
  readonly start: number;
  readonly count: number;
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** Tensor name. */
  readonly name: string;
}

export interface Piece {
  /** Letters of the moments it keeps, one number an element each: `m`, `v`. */
  readonly moments: readonly string[];
  apply(run: Run): void;
}

const RUN = 4096;

/** parameter −= pieces(gradient). Tensors without a gradient stay as they are. */
export function chain(...pieces: readonly Piece[]): Optimizer {
  const letters = pieces.flatMap((piece) => piece.moments);
  const scratch = new Float64Array(RUN);
  return {
    initialize(parameters) {
      const moments = new Map<string, Float32Array>();
      for (const [name, values] of parameters) {
        for (const letter of letters) moments.set(`${letter}:${name}`, new Float32Array(values.length));
      }
      return { step: 0, moments };
    },
    update(parameters, gradients, state, learningRate) {
      state.step++;
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        if (gradient === undefined) continue;
        check(name, parameter, gradient);
        const moments = pieces.map((piece) =>
          piece.moments.map((letter) => momentOf(state.moments, letter, name)),
        );
        for (let start = 0; start < parameter.length; start += RUN) {
          const count = Math.min(RUN, parameter.length - start);
          for (let i = 0; i < count; i++) scratch[i] = gradient[start + i]!;
          const common = { update: scratch, parameter, start, count, step: state.step, learningRate, name };
          for (let p = 0; p < pieces.length; p++) pieces[p]!.apply({ ...common, moments: moments[p]! });
          for (let i = 0; i < count; i++) parameter[start + i]! -= scratch[i]!;
        }
      }
    },
    stateBytes: (elements) => 4 * letters.length * elements,
  };
}

function momentOf(moments: Flat, letter: string, name: string): Float32Array {
  const values = moments.get(`${letter}:${name}`);
  if (values === undefined) throw new Error(`the optimizer state has no moment ${letter} of ${name}`);
  return values;
}

function check(name: string, parameter: Float32Array, gradient: Float32Array): void {
  if (parameter.length !== gradient.length) {
    throw new Error(
      `the gradient of ${name} has ${gradient.length} elements, the tensor has ${parameter.length}`,
    );
  }
}
