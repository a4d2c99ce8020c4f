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
  if (topP < 1) total = keepNucleus(weights, total * topP);
  const target = random.uniform() * total;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    if (sum > target) return i;
  }
  return best;
}

/**
 * Sets all weights (up to 1) to 0 but those of the smallest set of likeliest tokens that reaches `mass` (the first of
 * equals); returns what is left.
 */
function keepNucleus(weights: Float64Array, mass: number): number {
  const { larger, candidates } = weights.length < LARGE ? all(weights) : lastGroup(weights, mass);
  let reached = larger;
  let at = candidates.length;
  while (at > 0 && reached < mass) reached += candidates[--at]!;
  const smallest = candidates[at] ?? 0;
  let equals = 0;
  while (candidates[at + equals] === smallest) equals++;
  for (let i = 0; i < weights.length; i++) {
    const keep = weights[i]! > smallest || (weights[i] === smallest && equals-- > 0);
    if (!keep) weights[i] = 0;
  }
  return reached;
}

/** Among which weights the set ends, ascending, and the sum of those that are larger. */
interface End {
  readonly larger: number;
  readonly candidates: Float64Array;
}

const all = (weights: Float64Array): End => ({ larger: 0, candidates: weights.slice().sort() });

/** Of fewer weights, sorting all is as quick. */
const LARGE = 4096;
/** Exponent and four bits of the fraction of numbers up to 1: of a larger number they are never smaller. */
const GROUPS = (0x3ff0_0000 >>> 16) + 1;

/** Sums whole groups of weights of about one size; only the last is sorted. */
function lastGroup(weights: Float64Array, mass: number): End {
  const words = new Uint32Array(weights.buffer, weights.byteOffset, 2 * weights.length);
  // The high word is the second: Node runs on little-endian machines.
  const groupOf = (i: number): number => words[2 * i + 1]! >>> 16;
  const sums = new Float64Array(GROUPS);
  for (let i = 0; i < weights.length; i++) sums[groupOf(i)]! += weights[i]!;
  let larger = 0;
  let last = GROUPS - 1;
  while (last > 0 && larger + sums[last]! < mass) larger += sums[last--]!;
  return { larger, candidates: weights.filter((_, i) => groupOf(i) === last).sort() };
}
