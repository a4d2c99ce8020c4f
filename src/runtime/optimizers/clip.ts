/** Clipping by the global norm. */
import type { Flat } from './optimizer.ts';

/** √Σ g² over all tensors, summed in double. */
function globalNorm(gradients: Flat): number {
  let total = 0;
  for (const values of gradients.values()) {
    // Four sums at once: an addition need not wait for the one before.
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    const whole = values.length - (values.length % 4);
    for (let i = 0; i < whole; i += 4) {
      s0 += values[i]! * values[i]!;
      s1 += values[i + 1]! * values[i + 1]!;
      s2 += values[i + 2]! * values[i + 2]!;
      s3 += values[i + 3]! * values[i + 3]!;
    }
    for (let i = whole; i < values.length; i++) s0 += values[i]! * values[i]!;
    total += s0 + s1 + s2 + s3;
  }
  return Math.sqrt(total);
}

/**
 * Scales all gradients in place so that their global norm is at most `largest`; returns the norm before. 0 or infinity
 * clips nothing. A norm that is not finite is returned and nothing is scaled: the caller decides.
 * @see https://arxiv.org/abs/1211.5063
 */
export function clipGradients(gradients: Flat, largest: number): number {
  const norm = globalNorm(gradients);
  const factor = largest / (norm + 1e-6);
  if (!(largest > 0) || !(factor < 1) || !Number.isFinite(norm)) return norm;
  for (const values of gradients.values()) {
    for (let i = 0; i < values.length; i++) values[i]! *= factor;
  }
  return norm;
}
