/** Tensors whose numbers lie in a file: read when someone asks for them, and mapped by an engine that can. */
import type { Shape, Tensor } from './ops.ts';

/** Little-endian numbers one after another, as in a safetensors file. */
export interface StoredNumbers {
  /** Absolute path. */
  readonly file: string;
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly format: 'f32' | 'f16' | 'bf16';
}

// Not a property: a tensor that is copied with other numbers would take the place along.
const places = new WeakMap<Tensor, StoredNumbers>();

/** An f32 tensor of these numbers. `read` is called at most once, when `data` is first asked for. */
export function storedTensor(shape: Shape, place: StoredNumbers, read: () => Float32Array): Tensor {
  let data: Float32Array | undefined;
  const tensor: Tensor = {
    dtype: 'f32',
    shape,
    get data() {
      data ??= read();
      return data;
    },
  };
  places.set(tensor, place);
  return tensor;
}

/** Where a tensor's numbers lie; undefined where they are only in memory. */
export const storedNumbers = (tensor: Tensor): StoredNumbers | undefined => places.get(tensor);
