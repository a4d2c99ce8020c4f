/** A model's weights on their way into a file, in the number format of an export. */
import { toHalves } from '../checkpoints/half-numbers.ts';
import { numberFormats } from '../checkpoints/number-formats.ts';
import type { WrittenTensor } from '../checkpoints/safetensors.ts';
import type { Shape, Tensor } from '../programs/ops.ts';
import type { Policy } from '../stages/stage.ts';

export type NumberFormat = 'f32' | 'f16' | 'bf16';

/** Not kept for being read. */
export const readWeight = (weights: Policy['weights'], name: string): Tensor =>
  'read' in weights ? weights.read(name) : weights.get(name)!;

/** The values that a number format keeps of a tensor. */
export function asStored(tensor: Tensor, dtype: NumberFormat): Tensor {
  if (dtype === 'f32') return tensor;
  const bits = toHalves(tensor.data as Float32Array, dtype);
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
  const { convert } = numberFormats[dtype === 'f16' ? 'F16' : 'BF16']!;
  return { ...tensor, data: convert!(bytes) };
}

/** One weight, read when its turn to be written is. */
export function weightAs(
  weights: Policy['weights'],
  name: string,
  shape: Shape,
  dtype: NumberFormat,
): WrittenTensor {
  return numbersAs(name, shape, dtype, () => readWeight(weights, name));
}

export function numbersAs(
  name: string,
  shape: Shape,
  dtype: NumberFormat,
  read: () => Tensor,
): WrittenTensor {
  return {
    dtype,
    shape,
    async *chunks() {
      const data = read().data as Float32Array;
      if (!(data instanceof Float32Array)) throw new Error(`${name} does not hold floats`);
      const stored = dtype === 'f32' ? data : toHalves(data, dtype);
      yield new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    },
  };
}
