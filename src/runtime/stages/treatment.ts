/** How the programs that a stage builds become those that are executed. */
import type { AppliedMethod } from '../methods/method.ts';

/** What is done to a bare program beyond what is done to every one; `run/program-passes.ts` is the list of how. */
export interface Treatment {
  /** Whose tensors are brought in. */
  readonly adapt?: AppliedMethod | undefined;
  /** Whether its dropout masks are inputs. Default: no. */
  readonly dropout?: boolean | undefined;
  /** Weights that are read in codes (`quantizedParameters`). */
  readonly quantized?: AppliedMethod['quantized'];
  /** Tensors whose gradients are wanted, where the program trains; those that it does not read are left out. */
  readonly trainable?: readonly string[] | undefined;
  /** `blocks`: what a block computes is computed again when its gradient arrives. Default: `none`. */
  readonly recompute?: 'none' | 'blocks' | undefined;
  /** Where given, products with frozen weights are taken in eight bits. */
  readonly eightBit?: EightBitTreatment | undefined;
}

export interface EightBitTreatment {
  /** What the stage trains, or the method adds: all other weights are frozen. */
  readonly trained: ReadonlySet<string>;
  /** Products that stay in f32, by the name of their codes (`eightBitNames`). */
  readonly kept?: ReadonlySet<string>;
  /** Instead of the program: what these products lose (`eightBitErrors`). */
  readonly measured?: ReadonlySet<string>;
}
