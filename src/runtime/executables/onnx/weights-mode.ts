/** How frozen weights reach the engine where nobody says. */
import type { DType, Shape } from '../../programs/ops.ts';
import { sizeOf } from '../../programs/program.ts';
import type { Weights } from './lower.ts';

/**
 * From so many numbers on weights are used as they lie: packing them for products, once for each direction, takes three
 * times their size in memory and seconds to load, for steps that are 1.2 (512 tokens) to 1.4 times (128 tokens) quicker.
 */
const LARGE = 192 << 20;

export function weightsMode(
  memory: 'fast' | 'small' | undefined,
  frozen: Iterable<{ readonly dtype: DType; readonly shape: Shape }>,
): Extract<Weights, 'pack' | 'feed'> {
  if (memory !== undefined) return memory === 'small' ? 'feed' : 'pack';
  let numbers = 0;
  for (const { dtype, shape } of frozen) if (dtype === 'f32') numbers += sizeOf(shape);
  return numbers >= LARGE ? 'feed' : 'pack';
}
