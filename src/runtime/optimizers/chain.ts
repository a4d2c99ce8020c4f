/**
 * An optimizer as a chain of pieces. Each piece says what becomes of the update of one element; the whole chain is compiled
 * into one loop, which takes every tensor run by run, within the processor's cache: one pass over memory.
 */
import type { Shape } from '../programs/ops.ts';
import { compileKernel, type Kernel, RUN } from './kernel/compile-kernel.ts';
import { type Expression, type Step, subtract } from './kernel/expression.ts';
import { type MomentFormat, single } from './moment-format.ts';
import { type Flat, type Optimizer, requireSameSize } from './optimizer.ts';

interface Moment {
  /** `m`, `v`: different in all pieces of a chain. */
  readonly letter: string;
  /** Whether it can be below zero. */
  readonly signed: boolean;
}

/** The element that a piece works on. */
interface Element {
  readonly parameter: Expression;
  /** As the last step left it; 0 before the first. */
  moment(letter: string): Expression;
  /** The moment after this step; returns the value, before it is rounded to be kept. */
  keep(letter: string, value: Expression): Expression;
}

export interface Piece {
  /** What it keeps, one number an element each. */
  readonly moments: readonly Moment[];
  /** Tensors that it changes the update of. Default: all. */
  applies?(name: string): boolean;
  /** `update` is at first the gradient, at last what is subtracted from the parameter. */
  apply(update: Expression, element: Element): Expression;
}

/** Elements start … start + count − 1 of a tensor, with the state of these elements alone. */
interface ElementRange {
  readonly name: string;
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** A multiple of `per` of every part of the state. */
  readonly start: number;
  readonly count: number;
  readonly state: readonly (Float32Array | Uint8Array)[];
}

interface StateLayout {
  /** `m:NAME`. */
  readonly key: string;
  readonly dtype: 'f32' | 'u8';
  /** Elements of the tensor that share a number. */
  readonly per: number;
}

/** An optimizer that can also work on a part of a tensor, so that only this part's state need be at hand. */
export interface Chain extends Optimizer {
  /** The state of a tensor of so many elements, in the order `updateRange` takes it. */
  layout(name: string, elements: number): readonly StateLayout[];
  updateRange(range: ElementRange, step: Step): void;
}

/** How a moment of a tensor of so many elements is kept. */
export type FormatOf = (moment: Moment, elements: number) => MomentFormat;

/** parameter ← parameter − pieces(gradient), moments kept in single precision. */
export const chain = (...pieces: readonly Piece[]): Chain => chainKept(() => single, pieces);

export function chainKept(formatOf: FormatOf, pieces: readonly Piece[]): Chain {
  const moments = pieces.flatMap((piece) => piece.moments);
  const kernels = new Map<string, Kernel>();

  const kernelOf = (name: string): Kernel => {
    const applied = pieces.map((piece) => piece.applies?.(name) ?? true);
    const key = applied.join();
    const known = kernels.get(key);
    if (known !== undefined) return known;
    const made = kernelFor(pieces.filter((_, i) => applied[i]));
    kernels.set(key, made);
    return made;
  };

  const layout: Chain['layout'] = (name, elements) =>
    moments.flatMap((moment) =>
      formatOf(moment, elements).parts.map(({ suffix, dtype, per }) => ({
        key: `${moment.letter}${suffix}:${name}`,
        dtype,
        per,
      })),
    );

  const updateRange: Chain['updateRange'] = ({ name, parameter, gradient, start, count, state }, step) => {
    const kernel = kernelOf(name);
    const staged = (array: string) => kernel.arrays.get(array);
    const [parameters, gradients] = [staged(PARAMETER)!, staged(GRADIENT)];
    let taken = 0;
    const kept = moments.map((moment) => {
      const format = formatOf(moment, parameter.length);
      const parts = state.slice(taken, (taken += format.parts.length));
      return { format, parts, values: staged(moment.letter) };
    });
    kernel.begin(step);
    for (let done = 0; done < count; done += RUN) {
      const size = Math.min(RUN, count - done);
      const from = start + done;
      parameters.set(parameter.subarray(from, from + size));
      gradients?.set(gradient.subarray(from, from + size));
      for (const { format, parts, values } of kept) if (values) format.load(parts, done, size, values);
      kernel.run(size);
      parameter.set(parameters.subarray(0, size), from);
      for (const { format, parts, values } of kept) if (values) format.store(values, parts, done, size);
    }
  };

  return {
    layout,
    updateRange,
    initialize(parameters) {
      const arrays = new Map<string, Float32Array | Uint8Array>();
      for (const [name, { length }] of parameters) {
        for (const { key, dtype, per } of layout(name, length)) {
          const size = Math.ceil(length / per);
          arrays.set(key, dtype === 'f32' ? new Float32Array(size) : new Uint8Array(size));
        }
      }
      return { step: 0, moments: arrays };
    },
    update(parameters: Flat, gradients: Flat, state, learningRate) {
      state.step++;
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        if (gradient === undefined) continue;
        requireSameSize(name, parameter, gradient);
        const count = parameter.length;
        const arrays = layout(name, count).map(({ key }) => {
          const array = state.moments.get(key);
          if (array === undefined) throw new Error(`the optimizer state has no ${key}`);
          return array as Float32Array | Uint8Array;
        });
        const range = { name, parameter, gradient, start: 0, count, state: arrays };
        updateRange(range, { step: state.step, learningRate });
      }
    },
    stateBytes(shapes) {
      let memory = 0;
      for (const [name, shape] of shapes) {
        const elements = elementsOf(shape);
        for (const { dtype, per } of layout(name, elements))
          memory += Math.ceil(elements / per) * (dtype === 'f32' ? 4 : 1);
      }
      return { memory, file: 0 };
    },
  };
}

export const elementsOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

const PARAMETER = 'parameter';
const GRADIENT = 'gradient';

/** parameter ← parameter − pieces(gradient) and the moments, as one loop. */
function kernelFor(pieces: readonly Piece[]): Kernel {
  const arrays = new Map<string, Expression>();
  const array = (name: string): Expression => {
    const made = arrays.get(name) ?? { kind: 'array' as const, name };
    arrays.set(name, made);
    return made;
  };
  const results = new Map<string, Expression>();
  const parameter = array(PARAMETER);
  const element: Element = {
    parameter,
    moment: array,
    keep(letter, value) {
      results.set(letter, value);
      return value;
    },
  };
  const update = pieces.reduce((before, piece) => piece.apply(before, element), array(GRADIENT));
  return compileKernel(results.set(PARAMETER, subtract(parameter, update)));
}
