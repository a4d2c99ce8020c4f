/** The clipped value loss as a program. N tokens. */
import { add, cast, greater, maximum, minimum, mul, sub, sum } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

export interface PpoValueInputs {
  /** f32 (N), of the value head being trained; each of the others f32 (N) too. */
  readonly values: Node;
  /** As they were at the rollout. */
  readonly oldValues: Node;
  readonly returns: Node;
  /** 1 / tokens of the whole minibatch, 0 for a token that does not count. */
  readonly weights: Node;
  /** Values may move this far from the old ones before they stop counting. */
  readonly clip: number;
}

/** Scalars: ½ Σ w · max((V − R)², (clip(V, V_old ± ε) − R)²), and the share of tokens where the clip rules. */
export function ppoValueLoss(inputs: PpoValueInputs): { readonly loss: Node; readonly clipFraction: Node } {
  const { values, oldValues, returns, weights, clip } = inputs;
  const bounded = maximum(minimum(values, add(oldValues, clip)), sub(oldValues, clip));
  const square = (x: Node) => mul(x, x);
  const free = square(sub(values, returns));
  const held = square(sub(bounded, returns));
  return {
    loss: mul(sum(mul(weights, maximum(free, held))), 0.5),
    clipFraction: sum(mul(weights, cast(greater(held, free), 'f32'))),
  };
}
