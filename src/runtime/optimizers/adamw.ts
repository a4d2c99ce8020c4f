/** AdamW: Adam's moments, decoupled weight decay, the learning rate. @see https://arxiv.org/abs/1711.05101 */
import { chain } from './chain.ts';
import type { Optimizer } from './optimizer.ts';
import { type AdamOptions, adamMoments, decoupledDecay, learningRate } from './pieces.ts';

export interface AdamWOptions extends AdamOptions {
  /** Default 0. */
  readonly weightDecay?: number;
  /** Tensors that decay, by name. Default: all. */
  readonly decays?: (name: string) => boolean;
}

export function adamw({ weightDecay = 0, decays, ...moments }: AdamWOptions = {}): Optimizer {
  return chain(adamMoments(moments), decoupledDecay(weightDecay, decays), learningRate);
}
