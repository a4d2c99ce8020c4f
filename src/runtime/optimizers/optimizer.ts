/** Optimizers over typed arrays: what the trainer calls. */
import type { Shape } from '../programs/ops.ts';

/** Tensors by name, flat. */
export type Flat = ReadonlyMap<string, Float32Array>;

/** An array of the state that lies in a file. */
export interface PagedArray {
  readonly dtype: 'f32' | 'u8';
  readonly length: number;
  /** Its bytes from the first to the last; a chunk may be used until the next is asked for. */
  chunks(): AsyncIterable<Uint8Array>;
  set(values: ArrayLike<number>): Promise<void>;
}

export type StateArray = Float32Array | Uint8Array | PagedArray;

export interface OptimizerState {
  /** Steps taken so far. */
  step: number;
  /** Moments by piece and tensor name (`m:NAME`, `v:NAME`): what a checkpoint saves. */
  readonly moments: ReadonlyMap<string, StateArray>;
  /** Lets go of files, where there are any. */
  close?(): Promise<void>;
}

export interface StateBytes {
  readonly memory: number;
  readonly file: number;
}

export interface Optimizer {
  initialize(parameters: Flat): OptimizerState;
  /**
   * One step: changes `parameters` and `state` in place; tensors without a gradient stay as they are. `learningRate` is
   * this step's, schedule applied. Whoever gets a promise waits for it.
   */
  update(
    parameters: Flat,
    gradients: Flat,
    state: OptimizerState,
    learningRate: number,
  ): undefined | Promise<void>;
  /** Bytes of state for tensors of these shapes by name (the plan's). */
  stateBytes(shapes: ReadonlyMap<string, Shape>): StateBytes;
}

/** Errors: a gradient of another size than its tensor. */
export function requireSameSize(name: string, parameter: Float32Array, gradient: Float32Array): void {
  if (parameter.length !== gradient.length) {
    throw new Error(
      `the gradient of ${name} has ${gradient.length} elements, the tensor has ${parameter.length}`,
    );
  }
}
