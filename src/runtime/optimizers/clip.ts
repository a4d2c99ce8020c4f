/** Clipping by the global norm. */
import type { Flat } from './optimizer.ts';

/** √Σ g² over all tensors, summed in double. */
export function globalNorm(gradients: Flat): number {
  let total = 0;
  for (const values of gradients.values()) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
    total += sum;
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
