/** The pairwise loss of reward models. N pairs. */
import { add, mul, neg, softplus, sub, sum } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

export interface BradleyTerryInputs {
  /** f32 (N): rewards of the preferred responses. */
  readonly chosen: Node;
  /** f32 (N) */
  readonly rejected: Node;
  /** f32 (N): 1 / pairs of the whole optimizer step, 0 for a pair that does not count. */
  readonly weights: Node;
  /** f32 (N): how much better the chosen one is said to be. */
  readonly margin?: Node;
  /** λ, which keeps rewards around 0; 0 leaves its term out. */
  readonly centering?: number;
}

/**
 * Σ w · (−log σ(chosen − rejected − margin) + λ (chosen + rejected)²), a scalar.
 * @see https://arxiv.org/abs/2203.02155 equation 1, https://arxiv.org/abs/2312.09244 equation 2
 */
export function bradleyTerry({ chosen, rejected, weights, margin, centering = 0 }: BradleyTerryInputs): Node {
  const difference = sub(chosen, rejected);
  const ranking = softplus(neg(margin === undefined ? difference : sub(difference, margin)));
  if (centering === 0) return sum(mul(weights, ranking));
  const total = add(chosen, rejected);
  return sum(mul(weights, add(ranking, mul(mul(total, total), centering))));
}
