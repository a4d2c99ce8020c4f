/** What kernels read and write: a tensor, or its f64 twin where a test wants exact finite differences. */
import type { DType, OpAttributes, OpName, Shape, TensorData } from '../ops.ts';
import { sizeOf } from '../program.ts';

export interface Value {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TensorData | Float64Array;
}

export type Precision = 'f32' | 'f64';

/** Computes one operation; `out` has the right shape and is filled with zeros. */
export type Kernel<K extends OpName> = (
  out: Value,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
) => void;

/** A value of zeros; f32 is stored as f64 at that precision. */
export function zeros(dtype: DType, shape: Shape, precision: Precision = 'f32'): Value {
  const n = sizeOf(shape);
  if (dtype === 'i32') return { dtype, shape, data: new Int32Array(n) };
  if (dtype === 'i8') return { dtype, shape, data: new Int8Array(n) };
  if (dtype === 'bool' || dtype === 'u8') return { dtype, shape, data: new Uint8Array(n) };
  return { dtype, shape, data: precision === 'f64' ? new Float64Array(n) : new Float32Array(n) };
}

/** Elements between neighbours along each axis, row-major. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Calls `visit(out offset, offset + Σ index · stride)` for every index of `shape`, in row-major order. */
export function walk(
  shape: Shape,
  strides: readonly number[],
  offset: number,
  visit: (i: number, at: number) => void,
): void {
  const n = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < n; i++) {
    visit(i, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** Strides that read a value of shape `from` as if it were broadcast to `to`: 0 where it is stretched. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]!));
}
