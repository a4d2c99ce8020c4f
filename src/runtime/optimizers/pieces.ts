/** The pieces that optimizers are chained from. */
import type { Piece } from './chain.ts';

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
    moments: ['m', 'v'],
    apply({ update, moments, start, count, step }) {
      const m = moments[0]!;
      const v = moments[1]!;
      const correction1 = 1 / (1 - beta1 ** step);
      const correction2 = 1 / Math.sqrt(1 - beta2 ** step);
      for (let i = 0; i < count; i++) {
        const g = update[i]!;
        const first = beta1 * m[start + i]! + (1 - beta1) * g;
        const second = beta2 * v[start + i]! + (1 - beta2) * g * g;
        m[start + i] = first;
        v[start + i] = second;
        update[i] = (first * correction1) / (Math.sqrt(second) * correction2 + epsilon);
      }
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
    apply({ update, parameter, start, count, name }) {
      if (decay === 0 || !applies(name)) return;
      for (let i = 0; i < count; i++) update[i]! += decay * parameter[start + i]!;
    },
  };
}

/** update · learning rate of the step. */
export const learningRate: Piece = {
  moments: [],
  apply({ update, count, learningRate: rate }) {
    for (let i = 0; i < count; i++) update[i]! *= rate;
  },
};
