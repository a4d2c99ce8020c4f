/** What programs with eight-bit products read of frozen weights. */
import type { Tensor } from '../programs/ops.ts';
import { eightBitNames, eightBitWeight, type FrozenProduct } from '../quantization/eight-bit-weights.ts';

export interface EightBitBase {
  keys(): Iterable<string>;
  get(name: string): Tensor | undefined;
  /** Instead of `get` for a weight that is only wanted to make codes of. */
  read?(name: string): Tensor;
}

/**
 * The weights that a program reads as they are, and codes made of those that it reads in codes. `base` is asked for one
 * weight after the other; codes that `made` holds are taken from there, new ones go there.
 */
export function eightBitParameters(
  base: EightBitBase,
  reads: (parameter: string) => boolean,
  made: Map<string, Tensor> = new Map(),
): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>();
  for (const weight of base.keys()) {
    if (reads(weight)) parameters.set(weight, base.get(weight)!);
    for (const transposed of [false, true]) {
      const product = { weight, transposed };
      const names = eightBitNames(product);
      if (!reads(names.codes)) continue;
      if (!made.has(names.codes)) makeCodes(base, product, made);
      for (const part of Object.values(names)) parameters.set(part, made.get(part)!);
    }
  }
  return parameters;
}

function makeCodes(base: EightBitBase, product: FrozenProduct, made: Map<string, Tensor>): void {
  const { shape, data } = base.read?.(product.weight) ?? base.get(product.weight)!;
  for (const [name, tensor] of eightBitWeight({ shape, data: data as Float32Array }, product))
    made.set(name, tensor);
}
