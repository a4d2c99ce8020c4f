/** What programs with eight-bit products read of frozen weights. */
import type { Tensor } from '../programs/ops.ts';
import { eightBitParts, eightBitWeight } from '../quantization/eight-bit-weights.ts';

/**
 * The weights that a program reads as they are, and codes made of those that it reads in codes. `base` is asked for one
 * weight after the other.
 */
export function eightBitParameters(
  base: ReadonlyMap<string, Tensor>,
  reads: (parameter: string) => boolean,
): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>();
  for (const name of base.keys()) {
    const directions = [false, true].filter((transposed) => reads(eightBitParts(name, transposed).codes));
    if (!reads(name) && directions.length === 0) continue;
    const value = base.get(name)!;
    if (reads(name)) parameters.set(name, value);
    const { shape, data } = value;
    for (const transposed of directions)
      for (const [part, tensor] of eightBitWeight(name, { shape, data: data as Float32Array }, transposed))
        parameters.set(part, tensor);
  }
  return parameters;
}
