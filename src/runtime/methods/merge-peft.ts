/** Adapters read from PEFT's files, folded into the base weights. */
import type { Json } from '../../compiler/catalog.ts';
import type { Tensor } from '../programs/ops.ts';

const A = '.lora_A.weight';
const PREFIX = 'base_model.model.';

/** By the longest key that the module's path ends with, as PEFT looks patterns up. */
function byPattern(pattern: Json | undefined, module: string): number | undefined {
  if (pattern === null || typeof pattern !== 'object' || Array.isArray(pattern)) return undefined;
  const keys = Object.keys(pattern).filter((key) => module === key || module.endsWith(`.${key}`));
  const key = keys.sort((a, b) => b.length - a.length)[0];
  return key === undefined ? undefined : Number((pattern as Record<string, Json>)[key]);
}

/**
 * New values of the weights that an adapter changes: W + scale · B A, transposed where `fan_in_fan_out` says that weights
 * are stored (in, out). scale = lora_alpha / r, or / √r with `use_rslora`.
 * Errors: Error naming a tensor that the base lacks or whose shape does not fit.
 */
export function mergePeft(
  base: ReadonlyMap<string, Tensor>,
  adapter: ReadonlyMap<string, Tensor>,
  config: Readonly<Record<string, Json>>,
): Map<string, Tensor> {
  const merged = new Map<string, Tensor>();
  for (const [name, down] of adapter) {
    if (!name.endsWith(A)) continue;
    const module = name.slice(name.startsWith(PREFIX) ? PREFIX.length : 0, -A.length);
    const up = adapter.get(name.replace(A, '.lora_B.weight'));
    const old = base.get(`${module}.weight`);
    if (!up) throw new Error(`the adapter has ${name} but no lora_B beside it`);
    if (!old) throw new Error(`the adapter changes ${module}.weight, which the base model does not have`);
    const [rank, inputs] = down.shape as [number, number];
    const outputs = up.shape[0]!;
    const transposed = config.fan_in_fan_out === true;
    const expected = transposed ? [inputs, outputs] : [outputs, inputs];
    if (expected.some((n, i) => n !== old.shape[i]))
      throw new Error(`the adapter of ${module} is for a (${expected}) weight, the base has (${old.shape})`);
    const alpha = byPattern(config.alpha_pattern, module) ?? Number(config.lora_alpha ?? rank);
    const scale = alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
    const data = Float32Array.from(old.data);
    const [strideOut, strideIn] = transposed ? [1, outputs] : [inputs, 1];
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) {
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += up.data[o * rank + k]! * down.data[k * inputs + i]!;
        data[o * strideOut + i * strideIn]! += scale * sum;
      }
    merged.set(`${module}.weight`, { dtype: 'f32', shape: old.shape, data });
  }
  return merged;
}
