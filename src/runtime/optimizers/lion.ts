/** Lion: the sign of an interpolated momentum. */
import { type Chain, chain } from './chain.ts';
import { decayOption, decaysIn, type OptimizerKind, weightDecayOption } from './optimizer-kind.ts';
import { decoupledDecay, learningRate, signedMomentum } from './pieces.ts';

export interface LionOptions {
  /** Share of the momentum in the update. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the momentum. Default 0.99. */
  readonly beta2?: number;
  readonly weightDecay?: number;
  readonly decays?: (name: string) => boolean;
}

export const lion = ({ beta1 = 0.9, beta2 = 0.99, weightDecay = 0, decays }: LionOptions = {}): Chain =>
  chain(signedMomentum({ beta1, beta2 }), decoupledDecay(weightDecay, decays), learningRate);

export const lionKind: OptimizerKind = {
  entry: {
    name: 'lion',
    summary: 'every trained number moves by the learning rate, in the direction of its momentum',
    details: [
      'w ← w − lr · (sign(β₁ m + (1 − β₁) g) + weight_decay · w), then m ← β₂ m + (1 − β₂) g. Only matrices decay. 4 bytes of',
      'state a trained number, half of adamw.',
      '',
      "Every update has the same size, so lr should be 3 to 10 times smaller than adamw's, and weight_decay larger by as much.",
      '',
      'Source: [Symbolic discovery of optimization algorithms](https://arxiv.org/abs/2302.06675) algorithm 2, section 5.',
    ].join('\n'),
    example: 'pretrain → sft(optimizer=lion lr=2e-5)',
    options: {
      ...weightDecayOption,
      beta1: decayOption('share of the momentum in the direction', 0.9),
      beta2: decayOption('decay of the momentum', 0.99),
    },
  },
  create: (options, made) =>
    lion({
      beta1: Number(options.beta1),
      beta2: Number(options.beta2),
      weightDecay: Number(options.weight_decay),
      decays: decaysIn(made),
    }),
};
