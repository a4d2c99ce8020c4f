/** Losses and rewards computed one sequence at a time, without padding, on the reference executable. */
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { matmul, parameter, program } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { hiddenRows } from '../../src/runtime/stages/parts/language-model-program.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';

const idsOf = (ids: ArrayLike<number>): [string, Tensor] => [
  'ids',
  { dtype: 'i32', shape: [1, ids.length], data: Int32Array.from(ids) },
];

/** Logits (T, V) of one sequence, flat. `rewrite` brings an adapter in, whose tensors are in `weights`. */
export function logitsOf(
  { family, config, weights }: Pick<Policy, 'family' | 'config' | 'weights'>,
  ids: ArrayLike<number>,
  rewrite: (program: Program) => Program = (p) => p,
): Float32Array {
  const hidden = hiddenRows({ family, config, batch: 1, length: ids.length });
  const built = program('logits', { logits: matmul(hidden, family.head(config), { transposeB: true }) });
  return evaluate(rewrite(built), new Map([...weights, idsOf(ids)])).get('logits')!.data as Float32Array;
}

/** −Σ log p of the marked tokens, and how many there are. */
export function lossOf(
  policy: Policy,
  ids: ArrayLike<number>,
  marked: ArrayLike<number>,
): { total: number; tokens: number } {
  const logits = logitsOf(policy, Int32Array.from(ids).subarray(0, -1)); // nothing follows the last token
  const { vocabularySize: V } = policy.family.shape(policy.config);
  let total = 0;
  let tokens = 0;
  for (let t = 1; t < ids.length; t++) {
    if (!marked[t]) continue;
    const row = logits.subarray((t - 1) * V, t * V);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((a, b) => a + Math.exp(b - most), 0);
    total += most + Math.log(sum) - row[ids[t]!]!;
    tokens++;
  }
  return { total, tokens };
}

/** score · (hidden state of the last token). */
export function rewardOf(policy: Policy, score: Tensor, ids: ArrayLike<number>): number {
  const { family, config, weights } = policy;
  const hidden = hiddenRows({ family, config, batch: 1, length: ids.length });
  const { width } = family.shape(config);
  const built = program('reward', {
    rewards: matmul(hidden, parameter('score.weight', [1, width]), { transposeB: true }),
  });
  const feeds = new Map([...weights, ['score.weight', score] as const, idsOf(ids)]);
  return evaluate(built, feeds).get('rewards')!.data.at(-1)!;
}
