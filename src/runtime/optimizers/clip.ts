/** Clipping by the global norm. */
import { compileKernel, RUN } from './kernel/compile-kernel.ts';
import { add, type Expression, eachStep, multiply } from './kernel/expression.ts';
import type { Flat } from './optimizer.ts';

const QUARTERS = ['first', 'second', 'third', 'fourth'] as const;
const GRADIENT = 'gradient';
const array = (name: string): Expression => ({ kind: 'array', name });
const square = (of: Expression): Expression => multiply(of, of);

/** Four parts of a run at once: an addition need not wait for the one before. */
const squares = (() => {
  const [a, b, c, d] = QUARTERS.map((name) => square(array(name)));
  return compileKernel(new Map(), new Map([['squares', add(add(a!, b!), add(c!, d!))]]));
})();

let factor = 1;
const scaling = compileKernel(
  new Map([
    [
      GRADIENT,
      multiply(
        array(GRADIENT),
        eachStep(() => factor),
      ),
    ],
  ]),
);

/** √Σ g² over all tensors, summed in double. */
function globalNorm(gradients: Flat): number {
  const parts = QUARTERS.map((name) => squares.arrays.get(name)!);
  let total = 0;
  for (const values of gradients.values()) {
    for (let start = 0; start < values.length; start += RUN * parts.length) {
      const count = Math.min(RUN, Math.ceil((values.length - start) / parts.length));
      for (const [i, part] of parts.entries()) {
        const from = Math.min(values.length, start + i * count);
        const taken = values.subarray(from, Math.min(values.length, from + count));
        part.set(taken);
        part.fill(0, taken.length, count + 1);
      }
      squares.run(count);
      total += squares.sum('squares');
    }
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
  factor = largest / (norm + 1e-6);
  if (!(largest > 0) || !(factor < 1) || !Number.isFinite(norm)) return norm;
  const run = scaling.arrays.get(GRADIENT)!;
  scaling.begin({ step: 1, learningRate: 0 });
  for (const values of gradients.values()) {
    for (let start = 0; start < values.length; start += RUN) {
      const part = values.subarray(start, start + RUN);
      run.set(part);
      scaling.run(part.length);
      part.set(run.subarray(0, part.length));
    }
  }
  return norm;
}
