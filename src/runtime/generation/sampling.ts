/** Choosing the next token from logits. */
import type { Random } from '../random/random.ts';

export interface Sampling {
  /** Logits are divided by temperature + 1e-7; 0 takes the likeliest token. Default 0. */
  readonly temperature?: number;
  /** Only the likeliest tokens that together have this probability are drawn from. Default 1: all. */
  readonly topP?: number;
}

/** The likeliest token, the first of equals. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/**
 * A token of softmax(logits / (temperature + 1e-7)), within the nucleus of `topP`; one number of `random` a token.
 * @see https://arxiv.org/abs/1904.09751 section 3.1
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, random: Random): number {
  const { temperature = 0, topP = 1 } = sampling;
  const best = likeliest(logits);
  if (temperature === 0) return best;
  const largest = logits[best]!;
  const scale = 1 / (temperature + 1e-7);
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const weight = Math.exp((logits[i]! - largest) * scale);
    weights[i] = weight;
    total += weight;
  }
  const draw = random.uniform();
  if (topP < 1) return fromNucleus(weights, total * topP, draw);
  return walk(weights.keys(), weights, draw * total, best);
}

/** The smallest set of likeliest tokens that reaches `mass`, and a draw from it. */
function fromNucleus(weights: Float64Array, mass: number, draw: number): number {
  const order = new Uint32Array(weights.length)
    .map((_, i) => i)
    .sort((i, j) => weights[j]! - weights[i]! || i - j);
  let reached = 0;
  let size = 0;
  while (size < order.length && reached < mass) reached += weights[order[size++]!]!;
  return walk(order.subarray(0, Math.max(1, size)), weights, draw * reached, order[0]!);
}

function walk(tokens: Iterable<number>, weights: Float64Array, target: number, fallback: number): number {
  let sum = 0;
  for (const token of tokens) {
    sum += weights[token]!;
    if (sum > target) return token;
  }
  return fallback;
}
