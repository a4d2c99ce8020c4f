/** The program that says how likely each token of a sequence was. */
import { linearHead } from '../losses/linear-head.ts';
import { input, program } from '../programs/builder.ts';
import type { Program } from '../programs/program.ts';
import { type BodySpec, hiddenRows } from '../stages/parts/language-model-program.ts';

/**
 * Inputs `ids` i32 (B, T), padded on the right, and `next` i32 (B·T), the token after each. Output `logProbability` f32
 * (B·T): log p(next | the tokens up to here). Logits live for a chunk of rows at a time.
 */
export function tokenScoresProgram(spec: BodySpec): Program {
  const { logProbabilities } = linearHead({
    hidden: hiddenRows(spec),
    head: spec.family.head(spec.config),
    labels: input('next', 'i32', [spec.batch * spec.length]),
  });
  return program('token-scores', { logProbability: logProbabilities });
}
