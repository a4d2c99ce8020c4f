/** AdamW: Adam's moments, decoupled weight decay, the learning rate. @see https://arxiv.org/abs/1711.05101 */
import type { Json } from '../../compiler/catalog.ts';
import { type Chain, chain, chainKept, type FormatOf } from './chain.ts';
import { adamOptions, decaysIn, type OptimizerKind, type Surroundings } from './optimizer-kind.ts';
import { type AdamOptions, adamMoments, decoupledDecay, learningRate } from './pieces.ts';

export interface AdamWOptions extends AdamOptions {
  /** Default 0. */
  readonly weightDecay?: number;
  /** Tensors that decay, by name. Default: all. */
  readonly decays?: (name: string) => boolean;
}

const pieces = ({ weightDecay = 0, decays, ...moments }: AdamWOptions) =>
  [adamMoments(moments), decoupledDecay(weightDecay, decays), learningRate] as const;

export const adamw = (options: AdamWOptions = {}): Chain => chain(...pieces(options));

/** With moments kept otherwise than in single precision. */
export const adamwKept = (formatOf: FormatOf, options: AdamWOptions): Chain =>
  chainKept(formatOf, pieces(options));

/** A stage's options as those of the functions here. */
export function adamwOptions(options: { readonly [name: string]: Json }, made: Surroundings): AdamWOptions {
  return {
    beta1: Number(options.beta1),
    beta2: Number(options.beta2),
    epsilon: Number(options.epsilon),
    weightDecay: Number(options.weight_decay),
    decays: decaysIn(made),
  };
}

export const adamwKind: OptimizerKind = {
  entry: {
    name: 'adamw',
    summary: 'Adam with decoupled weight decay: two moments of every trained number',
    details: [
      'm ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²; both corrected for their start at zero (m̂, v̂);',
      'w ← w − lr · (m̂ / (√v̂ + epsilon) + weight_decay · w). Only matrices decay. 8 bytes of state a trained number.',
      '',
      'Sources: [Adam](https://arxiv.org/abs/1412.6980) algorithm 1, [AdamW](https://arxiv.org/abs/1711.05101) algorithm 2.',
    ].join('\n'),
    example: 'pretrain → sft(optimizer=adamw beta2=0.95)',
    options: adamOptions,
  },
  create: (options, made) => adamw(adamwOptions(options, made)),
};
