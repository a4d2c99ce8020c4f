/**
 * Scaled dot-product attention with grouped queries and an optional cache.
 * B batch, T new tokens, P past tokens, S = P + T, H query heads, K key/value heads, G = H / K, E head size.
 */
import { add, concat, matmul, reshape, sliceAxis, softmax, transpose } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import { bandsOf } from './bands.ts';

/** (B·T, H·E) → (B, H, T, E) */
export function splitHeads(x: Node, batch: number, tokens: number, heads: number): Node {
  const size = x.shape[1]! / heads;
  if (tokens === 1) return reshape(x, [batch, heads, 1, size]);
  return transpose(reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]);
}

/** (B, H, T, E) → (B·T, H·E) */
function joinHeads(x: Node): Node {
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number];
  const ordered = tokens === 1 ? x : transpose(x, [0, 2, 1, 3]);
  return reshape(ordered, [batch * tokens, heads * size]);
}

interface Past {
  readonly key: Node;
  readonly value: Node;
}

export interface AttentionInputs {
  /** (B, H, T, E) */
  readonly query: Node;
  /** (B, K, T, E) */
  readonly key: Node;
  /** (B, K, T, E) */
  readonly value: Node;
  /** Added to the scores; broadcasts to (B, 1, T, S). */
  readonly bias: Node;
  /** (B, K, P, E) each. */
  readonly past?: Past | undefined;
  /** What products of queries and keys are multiplied by; 1 / √E where absent. */
  readonly scale?: number;
}

/**
 * softmax(scale · q kᵀ + bias) v → (B·T, H·E).
 * The G query heads that share a key head are stacked on the token axis, so keys are never repeated. Queries are taken
 * in bands, so that of scores that the bias hides from a whole band none is computed.
 * @see https://arxiv.org/abs/1706.03762 equation 1, https://arxiv.org/abs/2305.13245
 */
export function attention(inputs: AttentionInputs): Node {
  const { query, key, value, bias, past } = inputs;
  const scale = inputs.scale ?? 1 / Math.sqrt(query.shape[3]!);
  if (past !== undefined) return joinHeads(withPast({ ...inputs, past, scale }));
  const bands = bandsOf(bias);
  const contexts = bands.map((band) => {
    const keys = (x: Node) => sliceAxis(x, 2, ...band.keys);
    return banded(sliceAxis(query, 2, ...band.queries), keys(key), keys(value), band.bias, scale);
  });
  return joinHeads(contexts.length === 1 ? contexts[0]! : concat(contexts, 2));
}

/** Query heads that share a key head behind one another. (B, H, T, E) → (B, K, G·T, E) */
function stack(query: Node, groups: number): Node {
  const [batch, heads, tokens, size] = query.shape as [number, number, number, number];
  return heads === groups ? query : reshape(query, [batch, groups, (heads / groups) * tokens, size]);
}

/** (B, H, T, E), (B, K, S, E) twice → (B, H, T, E) */
function banded(query: Node, key: Node, value: Node, bias: Node, scale: number): Node {
  const scores = matmul(stack(query, key.shape[1]!), key, { transposeB: true, scale });
  const weights = softmaxWithBias(scores, bias, query.shape[2]!);
  const context = matmul(weights, value);
  return reshape(context, query.shape);
}

/** Past and new keys are scored apart and only the scores are joined, so the cache is never copied. → (B, H, T, E) */
function withPast(inputs: AttentionInputs & { readonly past: Past; readonly scale: number }): Node {
  const { query, key, value, bias, past, scale } = inputs;
  const stacked = stack(query, key.shape[1]!);
  const tokens = query.shape[2]!;
  const product = (keys: Node) => matmul(stacked, keys, { transposeB: true, scale });
  const weights = softmaxWithBias(concat([product(past.key), product(key)], 3), bias, tokens);
  const seen = past.key.shape[2]!;
  const old = matmul(sliceAxis(weights, 3, 0, seen), past.value);
  const context = add(old, matmul(sliceAxis(weights, 3, seen, seen + tokens), value));
  return reshape(context, query.shape);
}

/** scores: (B, K, G·T, S), bias: (B or 1, 1, T, S) */
function softmaxWithBias(scores: Node, bias: Node, tokens: number): Node {
  const [batch, groups, rows, columns] = scores.shape as [number, number, number, number];
  if (rows === tokens || tokens === 1) return softmax(add(scores, bias));
  const split = reshape(scores, [batch, groups, rows / tokens, tokens, columns]);
  const wide = reshape(bias, [bias.shape[0]!, 1, 1, bias.shape[2]!, bias.shape[3]!]);
  return reshape(softmax(add(split, wide)), scores.shape);
}
