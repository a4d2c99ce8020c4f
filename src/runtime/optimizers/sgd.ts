/** Stochastic gradient descent with momentum. */
import { type Chain, chain } from './chain.ts';
import { decayOption, decaysIn, type OptimizerKind, weightDecayOption } from './optimizer-kind.ts';
import { decoupledDecay, heavyBall, learningRate } from './pieces.ts';

export interface SgdOptions {
  /** Default 0: plain descent, without any state. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  readonly decays?: (name: string) => boolean;
}

export const sgd = ({ momentum = 0, nesterov, weightDecay = 0, decays }: SgdOptions = {}): Chain =>
  chain(heavyBall(momentum, nesterov), decoupledDecay(weightDecay, decays), learningRate);

export const sgdKind: OptimizerKind = {
  entry: {
    name: 'sgd',
    summary: 'gradient descent with momentum: at most one number of state a trained number',
    details: [
      'b ← momentum · b + g; w ← w − lr · (b + weight_decay · w); with `nesterov`, g + momentum · b stands for b. The first step',
      'has b = g. Decay is decoupled and only matrices decay. `momentum=0` keeps no state.',
      '',
      'All numbers move with one learning rate, so it wants another one than adamw: often 10 to 100 times as much.',
      '',
      'Source: [On the importance of initialization and momentum](https://proceedings.mlr.press/v28/sutskever13.html) section 2,',
      "in the form of PyTorch's SGD.",
    ].join('\n'),
    example: 'pretrain → sft(optimizer=sgd lr=0.05 momentum=0.9)',
    options: {
      ...weightDecayOption,
      momentum: decayOption('how much of the last update stays', 0.9),
      nesterov: {
        description: 'take the gradient where the momentum leads',
        type: 'boolean',
        default: false,
        withoutEffect: ({ momentum }) =>
          momentum === 0
            ? { beside: 'momentum=0', note: 'without momentum there is nothing to follow' }
            : undefined,
      },
    },
  },
  create: (options, made) =>
    sgd({
      momentum: Number(options.momentum),
      nesterov: options.nesterov === true,
      weightDecay: Number(options.weight_decay),
      decays: decaysIn(made),
    }),
};
