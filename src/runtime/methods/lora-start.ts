/** Start values of adapters: those that are drawn, and those that follow from the base's weights. */
import type { ParameterSpec } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import { type Adapter, type AdapterPart, isEmbedding } from './lora-adapters.ts';
import type { LoraSettings } from './lora-options.ts';
import type { BaseWeights } from './method.ts';
import { principalParts } from './principal-parts.ts';
import { matrixOf, rowLengths } from './weight-matrix.ts';

/**
 * Every tensor of the adapters. A is uniform within ±1/√in (Kaiming with a = √5) or normal with deviation 1/r, B zeros;
 * of an embedding A is zeros and B normal: step 0 equals the base model in every case. What `startValues` gives stands
 * here as zeros.
 */
export function adapterParameters(adapters: readonly Adapter[], init: LoraSettings['init']): ParameterSpec[] {
  return adapters.flatMap((adapter) => adapter.parts.flatMap((part) => partParameters(adapter, part, init)));
}

const zeros = { kind: 'zeros' } as const;

function partParameters(adapter: Adapter, part: AdapterPart, init: LoraSettings['init']): ParameterSpec[] {
  const { rank, columns, magnitude, start } = part;
  const { inputs } = adapter;
  const outputs = columns[1] - columns[0];
  const random =
    init === 'kaiming'
      ? ({ kind: 'uniform', bound: 1 / Math.sqrt(inputs) } as const)
      : ({ kind: 'normal', std: 1 / rank } as const);
  const a = start || isEmbedding(adapter) ? zeros : random;
  const b = isEmbedding(adapter) ? ({ kind: 'normal', std: 1 } as const) : zeros;
  return [
    { name: part.a, shape: [rank, inputs], initializer: a },
    { name: part.b, shape: [outputs, rank], initializer: b },
    ...(magnitude === undefined ? [] : [{ name: magnitude, shape: [outputs], initializer: zeros }]),
    ...(start === undefined
      ? []
      : [
          { name: start.a, shape: [rank, inputs], initializer: zeros },
          { name: start.b, shape: [outputs, rank], initializer: zeros },
        ]),
  ];
}

/**
 * Values that follow from the weights. DoRA: the lengths of W's rows. PiSSA: A = √(σ / scale) vᵀ and B = u √(σ / scale)
 * from the largest singular values of W, with copies of both.
 * @see https://arxiv.org/abs/2402.09353 section 4.1, https://arxiv.org/abs/2404.02948 section 3
 */
export function startValues(adapters: readonly Adapter[], base: BaseWeights): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const adapter of adapters) {
    for (const part of adapter.parts) {
      if (part.magnitude === undefined && part.start === undefined) continue;
      const matrix = matrixOf(base, adapter, part.columns);
      if (part.magnitude !== undefined) values.set(part.magnitude, vector(rowLengths(matrix)));
      if (part.start !== undefined) setPrincipal(values, part, matrix);
    }
  }
  return values;
}

const vector = (data: ArrayLike<number>): Tensor => ({
  dtype: 'f32',
  shape: [data.length],
  data: Float32Array.from(data),
});

function setPrincipal(
  values: Map<string, Tensor>,
  { a, b, start, rank, scale }: AdapterPart,
  matrix: ReturnType<typeof matrixOf>,
): void {
  const { rows, columns } = matrix;
  const { values: sigma, left, right } = principalParts(matrix, rank);
  const down = new Float32Array(rank * columns);
  const up = new Float32Array(rows * rank);
  for (let k = 0; k < rank; k++) {
    const root = Math.sqrt(sigma[k]! / scale);
    for (let i = 0; i < columns; i++) down[k * columns + i] = root * right[k]![i]!;
    for (let o = 0; o < rows; o++) up[o * rank + k] = root * left[k]![o]!;
  }
  for (const name of [a, start!.a])
    values.set(name, { dtype: 'f32', shape: [rank, columns], data: Float32Array.from(down) });
  for (const name of [b, start!.b])
    values.set(name, { dtype: 'f32', shape: [rows, rank], data: Float32Array.from(up) });
}
