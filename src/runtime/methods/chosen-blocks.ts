/** Which blocks `layers=` means. */
import { plural } from '../../compiler/diagnostics/words/words.ts';
import { MethodError } from './method.ts';

/** The last `layers` blocks; the first ones where it is negative. Errors: MethodError where there are not so many, or none. */
export function chosenBlocks<Block>(blocks: readonly Block[], layers: number): readonly Block[] {
  if (layers === 0)
    throw new MethodError('layers', 'no block would be trained', ['use a number other than 0']);
  if (Math.abs(layers) > blocks.length)
    throw new MethodError(
      'layers',
      `the model has ${plural(blocks.length, 'block')}, not ${Math.abs(layers)}`,
      [
        blocks.length === 1
          ? 'write `layers=1`'
          : `use 1 to ${blocks.length}, or -1 to -${blocks.length} for the first ones`,
      ],
    );
  return layers > 0 ? blocks.slice(-layers) : blocks.slice(0, -layers);
}
