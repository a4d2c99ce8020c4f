/** Choosing the next token from logits. */
import type { Random } from '../random/random.ts';

export interface Sampling {
  /** Logits are divided by temperature + 1e-7; 0 takes the likeliest token. Default 0. */
  readonly temperature?: number;
  /** Only the likeliest tokens that together have this probability are drawn from. Default 1: all. */
  readonly topP?: number;
}

/** The likeliest token, the first of equals. */
function likeliest(logits: Float32Array): number {
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
  if (topP < 1) total = keepNucleus(weights, total, total * topP);
  const target = random.uniform() * total;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    if (sum > target) return i;
  }
  return best;
}

/**
 * Sets all weights to 0 but those of the smallest set of likeliest tokens that reaches `mass` (the first of equals);
 * returns what is left. Tokens that cannot belong to it are left out before the rest is sorted.
 */
function keepNucleus(weights: Float64Array, total: number, mass: number): number {
  const floor = (total - mass) / weights.length;
  const order = weights.filter((weight) => weight >= floor).sort();
  let reached = 0;
  let at = order.length;
  while (at > 0 && reached < mass) reached += order[--at]!;
  const smallest = order[at]!;
  let equals = 0;
  while (order[at + equals] === smallest) equals++;
  for (let i = 0; i < weights.length; i++) {
    const keep = weights[i]! > smallest || (weights[i] === smallest && equals-- > 0);
    if (!keep) weights[i] = 0;
  }
  return reached;
}
