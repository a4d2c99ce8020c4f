/** The program that says what a model answers: logits at every position of a sequence. */
import { matmul, program } from '../../programs/builder.ts';
import type { Program } from '../../programs/program.ts';
import { type BodySpec, hiddenRows } from './language-model-program.ts';

/** Tokens of a conversation on which files are compared with the model in the run, at most. */
export const PARITY_TOKENS = 128;

/** Input `ids` i32 (B, T). Output `logits` f32 (B·T, V). */
export function logitsProgram(spec: BodySpec): Program {
  const logits = matmul(hiddenRows(spec), spec.family.head(spec.config), { transposeB: true });
  return program('logits', { logits });
}
