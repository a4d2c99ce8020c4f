/** Adapters as plain matrices: folded into the base weights, or as PEFT stores them. Plain loops, sums in double. */
import type { Tensor } from '../programs/ops.ts';
import type { Adapter } from './lora-adapters.ts';

type Tensors = ReadonlyMap<string, Tensor>;

function need(tensors: Tensors, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`the adapter needs the tensor ${name}, which is not there`);
  return tensor;
}

/** W + scale · B A for every adapted weight, in the layout of W. */
export function mergeAdapters(
  base: Tensors,
  added: Tensors,
  adapters: readonly Adapter[],
  scale: number,
): Map<string, Tensor> {
  const merged = new Map<string, Tensor>();
  for (const adapter of adapters) {
    const { inputs, outputs, rank, layout } = adapter;
    const old = need(base, adapter.weight);
    const data = Float32Array.from(old.data);
    const [strideOut, strideIn] = layout === 'out,in' ? [inputs, 1] : [1, outputs];
    for (const part of adapter.parts) {
      const a = need(added, part.a).data;
      const b = need(added, part.b).data;
      const [start, end] = part.columns;
      for (let o = start; o < end; o++) {
        for (let i = 0; i < inputs; i++) {
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += b[(o - start) * rank + k]! * a[k * inputs + i]!;
          data[o * strideOut + i * strideIn]! += scale * sum;
        }
      }
    }
    merged.set(adapter.weight, { dtype: 'f32', shape: old.shape, data });
  }
  return merged;
}

/** One pair a module, under PEFT's names: A (parts · r, in), B (out, parts · r) with a block for each slice. */
export function peftTensors(added: Tensors, adapters: readonly Adapter[]): Map<string, Tensor> {
  const result = new Map<string, Tensor>();
  for (const { module, parts, rank, inputs, outputs } of adapters) {
    const total = parts.length * rank;
    const a = new Float32Array(total * inputs);
    const b = new Float32Array(outputs * total);
    parts.forEach((part, n) => {
      a.set(need(added, part.a).data, n * rank * inputs);
      const block = need(added, part.b).data;
      const [start, end] = part.columns;
      for (let o = start; o < end; o++) {
        for (let k = 0; k < rank; k++) b[o * total + n * rank + k] = block[(o - start) * rank + k]!;
      }
    });
    const prefix = `base_model.model.${module}`;
    result.set(`${prefix}.lora_A.weight`, { dtype: 'f32', shape: [total, inputs], data: a });
    result.set(`${prefix}.lora_B.weight`, { dtype: 'f32', shape: [outputs, total], data: b });
  }
  return result;
}
