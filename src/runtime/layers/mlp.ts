/** The feed-forward halves of a block. N rows, D width, M inner width. */
import { mul, silu } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { conv1d, linear } from './linear.ts';

/** Weights in nn.Linear's layout: gate, up (M, D), down (D, M); biases where a model has them. */
export interface GatedMlpWeights {
  readonly gate: Node;
  readonly up: Node;
  readonly down: Node;
  readonly gateBias?: Node | undefined;
  readonly upBias?: Node | undefined;
  readonly downBias?: Node | undefined;
}

/**
 * down(activation(gate x) · up x); with silu, SwiGLU. x: (N, D) → (N, D)
 * @see https://arxiv.org/abs/2002.05202 equation 6
 */
export function gatedMlp(x: Node, weights: GatedMlpWeights, activation: (x: Node) => Node = silu): Node {
  const gate = activation(linear(x, weights.gate, weights.gateBias));
  return linear(mul(gate, linear(x, weights.up, weights.upBias)), weights.down, weights.downBias);
}

export interface MlpWeights {
  /** (D, M) */
  readonly up: Node;
  /** (M) */
  readonly upBias: Node;
  /** (M, D) */
  readonly down: Node;
  /** (D) */
  readonly downBias: Node;
}

/** GPT-2's: down(activation(up x)), both maps in Conv1D layout with a bias. x: (N, D) → (N, D) */
export function conv1dMlp(x: Node, weights: MlpWeights, activation: (x: Node) => Node): Node {
  return conv1d(activation(conv1d(x, weights.up, weights.upBias)), weights.down, weights.downBias);
}
