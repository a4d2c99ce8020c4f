/** Programs over the batches of tests/reference/models. B rows, T = 20 tokens, V vocabulary. */
import { causalBias, causalBiasTensor } from '../../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../../src/runtime/losses/linear-cross-entropy.ts';
import { input, integers, matmul, program, reshape } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import type { PublishedModel } from '../reference/published-models.ts';

/** Batch `a` has no padding, `b` is padded on the right, `c` on the left. */
export type PublishedCase = 'a' | 'b' | 'c';

const TOKENS = 20;
const PADDED = 7;
const counted = (length: number) => Int32Array.from({ length }, (_, i) => i % TOKENS);

/** Output `logits` (B·T, V), as generation computes them: positions and bias are fed. */
export function logitsProgram({ family, config }: PublishedModel, rows: number): Program {
  const { hidden } = family.forward(config, {
    ids: input('ids', 'i32', [rows, TOKENS]),
    positions: input('positions', 'i32', [rows, TOKENS]),
    bias: input('bias', 'f32', [rows, 1, TOKENS, TOKENS]),
  });
  const flat = reshape(hidden, [rows * TOKENS, hidden.shape[2]!]);
  return program('logits', { logits: matmul(flat, family.head(config), { transposeB: true }) });
}

/** What `logitsProgram` reads beside the weights. */
export function logitsFeeds({ expected }: PublishedModel, which: PublishedCase): Map<string, Tensor> {
  const ids = expected.get(`${which}.input_ids`)!;
  const [rows] = ids.shape as [number];
  const positions = expected.get(`${which}.position_ids`)?.data ?? counted(rows * TOKENS);
  const padding = which === 'c' ? [0, PADDED] : new Array<number>(rows).fill(0);
  return new Map([
    ['ids', ids],
    ['positions', { dtype: 'i32', shape: [rows, TOKENS], data: positions }],
    ['bias', causalBiasTensor(TOKENS, padding)],
  ]);
}

/** Output `loss` of batch `a`, as training computes it: positions and causality are constants. */
export function lossProgram({ family, config }: PublishedModel): Program {
  const { hidden } = family.forward(config, {
    ids: input('ids', 'i32', [1, TOKENS]),
    positions: integers([...counted(TOKENS)], [1, TOKENS]),
    bias: causalBias(TOKENS),
  });
  const { loss } = linearCrossEntropy({
    hidden: reshape(hidden, [TOKENS, hidden.shape[2]!]),
    head: family.head(config),
    labels: input('labels', 'i32', [TOKENS]),
    weights: input('weights', 'f32', [TOKENS]),
    headTrainable: true,
  });
  return program('loss', { loss });
}

/** What `lossProgram` reads beside the weights. */
export function lossFeeds({ expected }: PublishedModel): Map<string, Tensor> {
  const ids = expected.get('a.input_ids')!;
  const labels = counted(TOKENS).map((i) => ids.data[i + 1] ?? 0);
  const weights = Float32Array.from(labels, (_, i) => (i < TOKENS - 1 ? 1 / (TOKENS - 1) : 0));
  return new Map([
    ['ids', ids],
    ['labels', { dtype: 'i32', shape: [TOKENS], data: labels }],
    ['weights', { dtype: 'f32', shape: [TOKENS], data: weights }],
  ]);
}
