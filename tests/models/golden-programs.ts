/** Programs over the golden batches. B rows, T tokens, V vocabulary. */
import { causalBiasTensor } from '../../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../../src/runtime/losses/linear-cross-entropy.ts';
import { input, matmul, parameter, program, reshape } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Node, Program } from '../../src/runtime/programs/program.ts';
import type { Golden } from '../reference/golden.ts';

/** Batch `a` has no padding, `b` is padded on the right, `c` on the left. */
export type GoldenCase = 'a' | 'b' | 'c';

function body({ family, config }: Golden, [rows, tokens]: readonly [number, number]): Node {
  return family.forward(config, {
    ids: input('ids', 'i32', [rows, tokens]),
    positions: input('positions', 'i32', [rows, tokens]),
    bias: input('bias', 'f32', [rows, 1, tokens, tokens]),
  }).hidden;
}

const sizes = { a: [1, 16], b: [2, 12], c: [2, 12] } as const;

/** Outputs `hidden` (B, T, D), `logits` (B·T, V), and the scores of the golden reward and value heads (B·T, 1). */
export function forwardProgram(golden: Golden, which: GoldenCase): Program {
  const hidden = body(golden, sizes[which]);
  const [rows, tokens, width] = hidden.shape as [number, number, number];
  const flat = reshape(hidden, [rows * tokens, width]);
  const onto = (weight: Node) => matmul(flat, weight, { transposeB: true });
  return program(`golden-${which}`, {
    hidden,
    logits: onto(golden.family.head(golden.config)),
    reward: onto(parameter('reward.score.weight', [1, width])),
    value: onto(parameter('value.weight', [1, width])),
  });
}

/** Output `loss`: cross-entropy of the labels fed, two chunks of rows. */
export function lossProgram(golden: Golden, which: GoldenCase, headTrainable = true): Program {
  const hidden = body(golden, sizes[which]);
  const [rows, tokens, width] = hidden.shape as [number, number, number];
  const count = rows * tokens;
  const { loss, correct, entropy } = linearCrossEntropy({
    hidden: reshape(hidden, [count, width]),
    head: golden.family.head(golden.config),
    labels: input('labels', 'i32', [count]),
    weights: input('weights', 'f32', [count]),
    headTrainable,
    chunkRows: 10,
  });
  return program(`golden-loss-${which}`, { loss, correct, entropy });
}

const i32 = (shape: readonly number[], data: Int32Array): Tensor => ({ dtype: 'i32', shape, data });

/** ids, positions and bias of a golden batch. */
export function batchFeeds(golden: Golden, which: GoldenCase): Map<string, Tensor> {
  const [rows, tokens] = sizes[which];
  const positions = new Int32Array(rows * tokens).map((_, i) => i % tokens);
  const padding = which === 'c' ? [0, 4] : new Array<number>(rows).fill(0);
  return new Map([
    ['ids', golden.expected(`${which}.input_ids`)],
    ['positions', which === 'c' ? golden.expected('c.position_ids') : i32([rows, tokens], positions)],
    ['bias', causalBiasTensor(tokens, padding)],
  ]);
}

/** The batch, and each position's next token as its label; weight 1 / supervised tokens, 0 where the label is -100. */
export function lossFeeds(golden: Golden, which: 'a' | 'b'): Map<string, Tensor> {
  const [rows, tokens] = sizes[which];
  const targets = golden.expected(which === 'a' ? 'a.input_ids' : 'b.labels').data;
  const labels = new Int32Array(rows * tokens);
  const weights = new Float32Array(rows * tokens);
  for (let i = 0; i < labels.length; i++) {
    const counts = i % tokens < tokens - 1 && targets[i + 1] !== -100;
    if (!counts) continue;
    labels[i] = targets[i + 1]!;
    weights[i] = 1;
  }
  const total = weights.reduce((n, w) => n + w, 0);
  return new Map([
    ...batchFeeds(golden, which),
    ['labels', i32([labels.length], labels)],
    ['weights', { dtype: 'f32', shape: [weights.length], data: weights.map((w) => w / total) }],
  ]);
}
