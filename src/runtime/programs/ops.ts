/**
 * The closed set of tensor operations. Every table over operations (shapes, gradients, reference kernels, ONNX
 * lowering) is a record over *all* of `OpName`, so adding one here makes the type checker list what is missing.
 */

import type { CodeFormat } from '../quantization/quantized-tensor.ts';

/** `u8`: codes of quantized weights and of rows, `i8`: of weights in eight-bit products; only the operations on codes read them. */
export type DType = 'f32' | 'i32' | 'bool' | 'u8' | 'i8';
export type Shape = readonly number[];
export type TensorData = Float32Array | Int32Array | Uint8Array | Int8Array;

/** A tensor in memory, row-major. bool is stored as 0/1 bytes. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TensorData;
}

/** Attributes by operation. Operands are listed in the comment; `…` is any number of leading dimensions. */
export interface OpAttributes {
  // ---- sources
  input: { readonly name: string };
  /** A weight, by its Hugging Face tensor name; whether it is trained is said when the program is differentiated. */
  parameter: { readonly name: string };
  constant: { readonly value: Tensor };
  // ---- element by element, with numpy broadcasting: (a, b)
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  minimum: None;
  greater: None;
  greaterEqual: None;
  equal: None;
  /** (condition: bool, a, b) */
  where: None;
  // ---- element by element: (x)
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  tanh: None;
  erf: None;
  sigmoid: None;
  /** log(1 + e^x), without overflow. */
  softplus: None;
  cast: { readonly to: DType };
  // ---- along axes: (x)
  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  mean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  max: { readonly axes: readonly number[]; readonly keepDims: boolean };
  /** Index of the largest along the last axis (the first of equals): (…, n) → i32 (…) */
  argmax: None;
  /** Along the last axis. */
  softmax: None;
  logSoftmax: None;
  // ---- shape: (x)
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  /** Broadcast to a shape. */
  expand: { readonly shape: Shape };
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[] };
  /** Zeros around; the adjoint of slice. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** (x, y, …) along one axis */
  concat: { readonly axis: number };
  // ---- selection
  /** Rows of a table: (table (n, …r), index i32 (…i)) → (…i, …r) */
  gatherRows: None;
  /** Sums rows into a table of zeros; the adjoint of gatherRows: (index i32 (…i), rows (…i, …r)) → (count, …r) */
  scatterRows: { readonly count: number };
  /** One element of each row of the last axis: (x (…, n), index i32 (…)) → (…) */
  pick: None;
  /** Zeros with one value in each row; the adjoint of pick: (index i32 (…), values (…)) → (…, size) */
  place: { readonly size: number };
  // ---- products
  /** (…, m, k) × (…, k, n), leading dimensions broadcast, operands transposed in their last two axes, times scale. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number };
  /**
   * Quantized weights as f32: (codes u8 (bytes), absmax f32 (blocks)) → shape, row-major; value = table[code] · absmax of
   * its block. Two codes a byte in the four-bit formats. `dynamic`: the eight-bit map that double quantization keeps
   * absmax in. No gradient: codes are frozen.
   */
  dequantize: {
    readonly format: CodeFormat;
    readonly block: number;
    readonly shape: Shape;
  };
  // ---- products in eight bits
  /** Largest absolute value of each row: (x (…, k)) → (…, 1) */
  absmax: None;
  /**
   * Rows as codes: (x (…, k), absmax (…, B)) → u8 (…, k). A row has B parts of equal length, each with an absmax of its
   * own. `signed`: round(127 · x / absmax) + 128; else, for values none of which is negative, round(255 · x / absmax).
   * Ties to even. Codes of a part of zeros may be anything: its products are 0.
   */
  quantizeRows: { readonly signed: boolean };
  /**
   * The product of rows in codes with a matrix in codes, summed in whole numbers: (codes u8 (…, k), absmax (…, B), weight
   * i8 (k, n), scale (n)) → f32 (…, n). The codes stand for (code − 128) · absmax / 127, or for code · absmax / 255 where
   * they are not `signed`; the weight for code · scale of its column. No gradient: it is put in place of `matmul` later.
   */
  matmulCodes: { readonly signed: boolean };
  // ---- layers that have a fast kernel everywhere
  /** (x (…, d), weight (d), bias (d)): (x − mean) / sqrt(variance + epsilon) · weight + bias */
  layerNorm: { readonly epsilon: number };
  /** (x (…, d), weight (d)): x / sqrt(mean(x²) + epsilon) · weight */
  rmsNorm: { readonly epsilon: number };
  /**
   * (x (…, d)) → (…, 1): 1 / sqrt(variance + epsilon), or of the mean square where not `centered`. What the gradients of
   * the two norms need; engines take it from the norm of the same x.
   */
  inverseDeviation: { readonly epsilon: number; readonly centered: boolean };
  /** x · sigmoid(x) */
  silu: None;
  /** `erf`: exact; `tanh`: the approximation GPT-2 was trained with ("gelu_new"). */
  gelu: { readonly approximation: 'erf' | 'tanh' };
  /** (−second half, first half) of the last axis: the rotation of rotary embeddings. */
  rotateHalf: None;
  /**
   * (x (B, H, T, E), cos (R, T, E/2), sin (R, T, E/2)), R = B or 1: each pair (xᵢ, xᵢ₊E/2) turned by its angle, which is
   * x · (cos, cos) + rotateHalf(x) · (sin, sin) in one pass.
   */
  rotary: None;
  // ---- gradients written by hand
  /**
   * (value, x₁ … xₙ, g₁ … gₙ) → value. Its gradient with respect to xᵢ is (incoming scalar) · gᵢ, gᵢ being computed in
   * the forward direction: how cross-entropy computes its gradient chunk by chunk without keeping the logits.
   */
  attachGradient: { readonly count: number };
  /** (x) → x, through which no gradient flows. */
  stopGradient: None;
  /**
   * (x) → x at the edge between two blocks of a model, counted from 0 at the first block's input. Its gradient is the same
   * mark, `gradient`, on the incoming gradient. What `recompute` cuts along; gone before a program is executed.
   */
  blockEdge: { readonly edge: number; readonly gradient: boolean };
  /** (x, y) → x, computed no earlier than y: the engine must not see that y's value does not matter. */
  after: None;
}

type None = { readonly [key: string]: never };

export type OpName = keyof OpAttributes;
