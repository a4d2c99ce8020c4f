/** The clipped policy loss as a program. N tokens. */
import {
  cast,
  exp,
  greater,
  greaterEqual,
  maximum,
  minimum,
  mul,
  neg,
  scalar,
  sub,
  sum,
  where,
} from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

export interface PpoPolicyInputs {
  /** f32 (N), of the policy being trained; each of the others f32 (N) too. */
  readonly logProbability: Node;
  /** Of the policy that sampled the tokens. */
  readonly oldLogProbability: Node;
  readonly advantages: Node;
  /** 1 / tokens of the whole minibatch, 0 for a token that does not count. */
  readonly weights: Node;
  /** ε of the clip. */
  readonly clip: number;
}

/** Scalars, means over the tokens that count, except `gradient`. */
export interface PpoPolicyLoss {
  readonly loss: Node;
  /** f32 (N): dloss / dlogProbability, for `LinearHead.attach`. */
  readonly gradient: Node;
  readonly clipFraction: Node;
  /** ½ (new − old)² */
  readonly approxKl: Node;
  readonly ratio: Node;
}

/**
 * Σ w · max(−A ρ, −A clip(ρ, 1 − ε, 1 + ε)), ρ = exp(new − old)
 * @see https://arxiv.org/abs/1707.06347 equation 7
 */
export function ppoPolicyLoss(inputs: PpoPolicyInputs): PpoPolicyLoss {
  const { logProbability, oldLogProbability, advantages, weights, clip } = inputs;
  const difference = sub(logProbability, oldLogProbability);
  const ratio = exp(difference);
  const clipped = minimum(maximum(ratio, 1 - clip), 1 + clip);
  const cost = neg(advantages);
  const free = mul(cost, ratio);
  const bounded = mul(cost, clipped);
  const average = (x: Node) => sum(mul(weights, x));
  return {
    loss: average(maximum(free, bounded)),
    gradient: where(greaterEqual(free, bounded), mul(weights, free), scalar(0)),
    clipFraction: average(cast(greater(bounded, free), 'f32')),
    approxKl: mul(average(mul(difference, difference)), 0.5),
    ratio: average(ratio),
  };
}
