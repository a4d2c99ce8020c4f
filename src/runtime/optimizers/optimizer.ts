/** Optimizers as chains of small pieces over typed arrays; each piece turns gradients into updates in place. */

/** Tensors by name, flat. */
export type Flat = ReadonlyMap<string, Float32Array>;

export interface OptimizerState {
  /** Steps taken so far. */
  step: number;
  /** Moments by piece and tensor name (`m:NAME`, `v:NAME`): what a checkpoint saves. */
  readonly moments: Map<string, Float32Array>;
}

export interface Optimizer {
  initialize(parameters: Flat): OptimizerState;
  /** One step: changes `parameters` and `state` in place. `learningRate` is this step's, schedule applied. */
  update(parameters: Flat, gradients: Flat, state: OptimizerState, learningRate: number): void;
  /** Bytes of state for tensors of these sizes (the plan's). */
  stateBytes(elements: number): number;
}
