/** The programs of a reward model: a scalar a sequence, and the loss on pairs. */
import { bradleyTerry } from '../../losses/bradley-terry.ts';
import {
  gatherRows,
  greater,
  input,
  matmul,
  mul,
  parameter,
  program,
  reshape,
  slice,
  sub,
  sum,
  where,
} from '../../programs/builder.ts';
import type { Node, Program } from '../../programs/program.ts';
import { type BodySpec, hiddenRows } from './language-model-program.ts';

/** The reward head's tensor, (1, D). */
export const SCORE = 'score.weight';

/** Rewards (B) of sequences `ids` (B, T), read at row `last` i32 (B) of their flattened hidden states. */
function rewards(spec: BodySpec): Node {
  const hidden = gatherRows(hiddenRows(spec), input('last', 'i32', [spec.batch]));
  const { width } = spec.family.shape(spec.config);
  return reshape(matmul(hidden, parameter(SCORE, [1, width]), { transposeB: true }), [spec.batch]);
}

/** Output `rewards` (B). */
export const rewardProgram = (spec: BodySpec): Program => program('reward', { rewards: rewards(spec) });

/**
 * The first half of the B sequences are the chosen answers, the second half the rejected ones. Inputs `ids`, `last`,
 * `weights` f32 (B / 2), `margin` f32 (B / 2). Outputs: `loss`, weighted means for the metrics, `rewards` (B).
 */
export function preferenceProgram(spec: BodySpec, centering: number): Program {
  const pairs = spec.batch / 2;
  const all = rewards(spec);
  const chosen = slice(all, [0], [pairs]);
  const rejected = slice(all, [pairs], [2 * pairs]);
  const weights = input('weights', 'f32', [pairs]);
  const weighted = (x: Node) => sum(mul(x, weights));
  const difference = sub(chosen, rejected);
  return program('preference', {
    loss: bradleyTerry({ chosen, rejected, weights, margin: input('margin', 'f32', [pairs]), centering }),
    accuracy: weighted(where(greater(difference, 0), 1, 0)),
    margin: weighted(difference),
    reward_chosen: weighted(chosen),
    reward_rejected: weighted(rejected),
    rewards: all,
  });
}
