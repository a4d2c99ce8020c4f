/** Which earlier tokens a query may look at, as numbers that are added to the scores. */
import { constant } from '../programs/builder.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Node } from '../programs/program.ts';

/** Added to a score that must not count; its exponential is 0 in float32 beside any real score. */
export const MASKED = -1e9;

/**
 * Causal bias of T tokens: 0 at and below the diagonal, MASKED above.
 * `padding[b]` tokens at the start of row b are hidden from every query but themselves (left padding).
 * → f32 (B, 1, T, T), B being the number of rows in `padding`.
 */
export function causalBiasTensor(tokens: number, padding: readonly number[] = [0]): Tensor {
  const data = new Float32Array(padding.length * tokens * tokens).fill(MASKED);
  padding.forEach((first, row) => {
    for (let query = 0; query < tokens; query++) {
      const at = (row * tokens + query) * tokens;
      data.fill(0, at + Math.min(first, query), at + query + 1);
    }
  });
  return { dtype: 'f32', shape: [padding.length, 1, tokens, tokens], data };
}

/** The same for a batch without left padding, as a constant of the program: (1, 1, T, T). */
export function causalBias(tokens: number): Node {
  return constant(causalBiasTensor(tokens));
}

/**
 * What a window adds to the bias of T tokens: 0 where a query looks back at fewer than `window` tokens, MASKED further
 * back; a query counts as the first of them. → f32 (1, 1, T, T). Padding on the left changes no distance.
 * @see https://arxiv.org/abs/2310.06825 section 2
 */
export function windowMask(tokens: number, window: number): Node {
  const data = new Float32Array(tokens * tokens);
  for (let query = window; query < tokens; query++)
    data.fill(MASKED, query * tokens, query * tokens + query - window + 1);
  return constant({ dtype: 'f32', shape: [1, 1, tokens, tokens], data });
}
