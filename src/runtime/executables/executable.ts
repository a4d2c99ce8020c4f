/** How programs run: one interface, several engines. */
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';

export interface LoadOptions {
  /**
   * Weights that never change while the executor lives, by parameter name: kept inside, prepacked where that pays.
   * Parameters not named here are fed at every run.
   */
  readonly frozen?: ReadonlyMap<string, Tensor>;
  /**
   * `small` trades speed for memory: frozen weights are not copied into packed form, and are mapped from the files that they
   * lie in. Default: `fast`, unless they are large.
   */
  readonly memory?: 'fast' | 'small';
  /**
   * Whether rows that meet a frozen weight in int8 or int4 codes may be rounded to eight bits, block by block: the product is
   * taken in whole numbers, for one row in a quarter of the time. Default: no, products are of the codes' values.
   */
  readonly roundedRows?: boolean;
  /** Worker threads inside an operation. Default: the machine's physical cores. */
  readonly threads?: number;
}

export interface Executor {
  /**
   * Feeds inputs and unfrozen parameters by name; returns outputs by name, each in fresh memory that the caller owns.
   * Errors: Error naming a missing or misshapen feed.
   */
  run(feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  dispose(): Promise<void>;
}

export interface Executable {
  readonly name: 'reference' | 'onnx';
  load(program: Program, options?: LoadOptions): Promise<Executor>;
}
