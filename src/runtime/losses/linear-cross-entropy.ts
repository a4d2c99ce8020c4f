/** Cross-entropy from hidden states, chunk by chunk. N rows, D width, V vocabulary. */
import { mul, neg, scalar, sum } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { type LinearHeadInputs, linearHead } from './linear-head.ts';

export interface LinearCrossEntropyInputs extends Omit<LinearHeadInputs, 'temperature'> {
  /**
   * f32 (N). 1 / number of supervised tokens of the *whole* optimizer step, so that splitting the step into
   * micro-batches does not change the loss; 0 for a row that does not count.
   */
  readonly weights: Node;
  /** False leaves `correct` and `entropy` at 0. Default: true; they cost next to nothing beside the gradients. */
  readonly metrics?: boolean;
}

/** Scalars. What a program does not output is not computed. */
export interface LinearCrossEntropy {
  /** Σ weight · (−log p(label)), in nats. */
  readonly loss: Node;
  /** Σ weight where the label is the likeliest entry. */
  readonly correct: Node;
  /** Σ weight · entropy of the predicted distribution, in nats. */
  readonly entropy: Node;
}

/** Σ wᵢ · (−log softmax(hᵢ Wᵀ)[labelᵢ]), with its gradients for the hidden states and, if wanted, the head. */
export function linearCrossEntropy({
  weights,
  metrics = true,
  ...inputs
}: LinearCrossEntropyInputs): LinearCrossEntropy {
  const rows = linearHead(inputs);
  const negative = neg(weights);
  return {
    loss: rows.attach(sum(mul(negative, rows.logProbabilities)), negative),
    correct: metrics ? sum(mul(weights, rows.correct)) : scalar(0),
    entropy: metrics ? sum(mul(weights, rows.entropy)) : scalar(0),
  };
}
