/** Which blocks `layers=` means. */
import { MethodError } from './method.ts';

/** The last `layers` blocks; the first ones where it is negative. Errors: MethodError where there are not so many, or none. */
export function chosenBlocks<Block>(blocks: readonly Block[], layers: number): readonly Block[] {
  if (layers === 0)
    throw new MethodError('layers', 'no block would be trained', ['use a number other than 0']);
  if (Math.abs(layers) > blocks.length)
    throw new MethodError('layers', `the model has ${blocks.length} blocks, not ${Math.abs(layers)}`);
  return layers > 0 ? blocks.slice(-layers) : blocks.slice(0, -layers);
}
