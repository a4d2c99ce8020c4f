/** The feed-forward halves of a block. N rows, D width, M inner width. */
import { gelu, mul, silu } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { conv1d, linear } from './linear.ts';

/**
 * down(silu(gate x) · up x), no biases. x: (N, D); gate, up: (M, D); down: (D, M) → (N, D)
 * @see https://arxiv.org/abs/2002.05202 equation 6
 */
export function swiglu(
  x: Node,
  weights: { readonly gate: Node; readonly up: Node; readonly down: Node },
): Node {
  return linear(mul(silu(linear(x, weights.gate)), linear(x, weights.up)), weights.down);
}

export interface GeluMlpWeights {
  /** (D, M) */
  readonly up: Node;
  /** (M) */
  readonly upBias: Node;
  /** (M, D) */
  readonly down: Node;
  /** (D) */
  readonly downBias: Node;
}

/** GPT-2's: down(gelu(up x)), both maps in Conv1D layout with a bias. x: (N, D) → (N, D) */
export function geluMlp(x: Node, weights: GeluMlpWeights, approximation: 'erf' | 'tanh'): Node {
  const inner = gelu(conv1d(x, weights.up, weights.upBias), approximation);
  return conv1d(inner, weights.down, weights.downBias);
}
