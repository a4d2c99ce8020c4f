/** The pieces that optimizers are chained from. */
import type { Piece } from './chain.ts';
import { add, divide, eachStep, multiply, sign, squareRoot } from './kernel/expression.ts';

export interface AdamOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the corrected second moment. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²; update = m̂ / (√v̂ + ε), m̂ and v̂ corrected for their start at 0.
 * @see https://arxiv.org/abs/1412.6980 algorithm 1
 */
export function adamMoments({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Piece {
  return {
    moments: [
      { letter: 'm', signed: true },
      { letter: 'v', signed: false },
    ],
    apply(g, { moment, keep }) {
      const first = keep('m', add(multiply(beta1, moment('m')), multiply(1 - beta1, g)));
      const square = multiply(multiply(1 - beta2, g), g);
      const second = keep('v', add(multiply(beta2, moment('v')), square));
      const correction1 = eachStep(({ step }) => 1 / (1 - beta1 ** step));
      const correction2 = eachStep(({ step }) => 1 / Math.sqrt(1 - beta2 ** step));
      const root = multiply(squareRoot(second), correction2);
      return divide(multiply(first, correction1), add(root, epsilon));
    },
  };
}

/**
 * b ← momentum · b + g; update = b, with Nesterov's look ahead g + momentum · b. `momentum` 0 keeps nothing.
 * @see https://proceedings.mlr.press/v28/sutskever13.html section 2, in the form of PyTorch's SGD
 */
export function heavyBall(momentum: number, nesterov = false): Piece {
  if (momentum === 0) return { moments: [], apply: (g) => g };
  return {
    moments: [{ letter: 'b', signed: true }],
    apply(g, { moment, keep }) {
      const ball = keep('b', add(multiply(momentum, moment('b')), g));
      return nesterov ? add(g, multiply(momentum, ball)) : ball;
    },
  };
}

/**
 * update = sign(β₁ m + (1 − β₁) g), then m ← β₂ m + (1 − β₂) g.
 * @see https://arxiv.org/abs/2302.06675 algorithm 2
 */
export function signedMomentum({ beta1, beta2 }: { beta1: number; beta2: number }): Piece {
  return {
    moments: [{ letter: 'm', signed: true }],
    apply(g, { moment, keep }) {
      keep('m', add(multiply(beta2, moment('m')), multiply(1 - beta2, g)));
      return sign(add(multiply(beta1, moment('m')), multiply(1 - beta1, g)));
    },
  };
}

/**
 * update += decay · parameter, which the learning rate then scales. `applies` picks tensors by name; default: all.
 * @see https://arxiv.org/abs/1711.05101 algorithm 2
 */
export function decoupledDecay(decay: number, applies: (name: string) => boolean = () => true): Piece {
  return {
    moments: [],
    applies: (name) => decay !== 0 && applies(name),
    apply: (update, { parameter }) => add(update, multiply(decay, parameter)),
  };
}

/** update · learning rate of the step: the last piece of every chain. */
export const learningRate: Piece = {
  moments: [],
  apply: (update) =>
    multiply(
      update,
      eachStep((step) => step.learningRate),
    ),
};
