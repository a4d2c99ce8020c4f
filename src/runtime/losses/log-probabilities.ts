/** Log-probabilities and entropies that a gradient flows through by the ordinary rules. N rows, D width, V vocabulary. */
import { exp, logSoftmax, matmul, mul, neg, pick, sum } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

/** Values a row, f32 (…). */
export interface LogProbabilities {
  /** log p(label) */
  readonly logProbability: Node;
  /** Of the whole distribution, in nats. */
  readonly entropy: Node;
}

/** Of p = softmax(l), l: f32 (…, V), labels: i32 (…). */
export function logProbabilitiesOfLogits(logits: Node, labels: Node): LogProbabilities {
  const all = logSoftmax(logits);
  return { logProbability: pick(all, labels), entropy: neg(sum(mul(exp(all), all), [-1])) };
}

/**
 * Of p = softmax(h Wᵀ / (temperature + 1e-7)); without a temperature the logits stay as they are.
 * hidden: f32 (N, D), head: f32 (V, D), labels: i32 (N). All N · V logits live at once; `linearHead` works in chunks.
 */
export function logProbabilities(inputs: {
  readonly hidden: Node;
  readonly head: Node;
  readonly labels: Node;
  readonly temperature?: number;
}): LogProbabilities {
  const { hidden, head, labels, temperature } = inputs;
  const scale = temperature === undefined ? 1 : 1 / (temperature + 1e-7);
  return logProbabilitiesOfLogits(matmul(hidden, head, { transposeB: true, scale }), labels);
}
