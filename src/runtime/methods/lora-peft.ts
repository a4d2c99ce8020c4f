/** Adapters as PEFT stores them: adapter_config.json and the tensors of adapter_model.safetensors. */
import type { Json } from '../../compiler/catalog.ts';
import type { Tensor } from '../programs/ops.ts';
import type { LowRankShape } from '../quantization/quantized-tensor.ts';
import { type Adapter, type AdapterPart, isEmbedding, isTied } from './lora-adapters.ts';
import type { LoraSettings } from './lora-options.ts';
import type { BaseWeights, MethodTarget } from './method.ts';
import { matrixOf, rowLengths } from './weight-matrix.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** Rank of a part as it is stored: PiSSA's start values stand beside the trained ones. */
const storedRank = ({ rank, start }: AdapterPart): number => (start === undefined ? rank : 2 * rank);

/** The rank and alpha that PEFT reads an adapter's scale from. */
function sizeOf({ parts }: Adapter, rslora: boolean): { r: number; alpha: number } {
  const { rank, alpha } = parts[0]!;
  const r = parts.reduce((sum, part) => sum + storedRank(part), 0);
  return { r, alpha: alpha * (rslora ? Math.sqrt(r / rank) : r / rank) };
}

/** What each adapter adds to its weight, slices as one of their summed rank; undefined where it scales the weight too. */
export const addedShapes = (
  adapters: readonly Adapter[],
  { rslora, dora }: Pick<LoraSettings, 'rslora' | 'dora'>,
): Map<string, LowRankShape | undefined> =>
  new Map(
    adapters.map((adapter) => {
      const { weight, layout, parts } = adapter;
      const shape = { rank: sizeOf(adapter, rslora).r, scale: parts[0]!.scale, turned: layout === 'in,out' };
      return [weight, dora ? undefined : shape];
    }),
  );

/** Values by how often they come, the smaller one first where they come as often. */
function commonest(values: readonly number[]): number {
  const count = (value: number) => values.filter((other) => other === value).length;
  return [...new Set(values)].sort((a, b) => count(b) - count(a) || a - b)[0]!;
}

/**
 * The config under which PEFT computes the same on the original base. Modules go by the shortest name that picks no
 * other layer; those of a rank or alpha of their own (slices of a fused weight are one adapter of their summed rank,
 * PiSSA's start values are subtracted in twice the rank) stand in `rank_pattern` and `alpha_pattern`.
 */
export function peftConfig(
  adapters: readonly Adapter[],
  model: MethodTarget,
  { dropout, rslora, dora }: LoraSettings,
): Record<string, Json> {
  const sizes = new Map(adapters.map((adapter) => [adapter.module, sizeOf(adapter, rslora)]));
  const r = commonest([...sizes.values()].map((size) => size.r));
  const alpha = commonest([...sizes.values()].flatMap((size) => (size.r === r ? [size.alpha] : [])));
  const names = shortNames(adapters, model, (module) => {
    const size = sizes.get(module);
    return size === undefined ? 'none' : `${size.r} ${size.alpha}`;
  });
  const pattern = (key: 'r' | 'alpha', usual: number) =>
    Object.fromEntries(
      [...sizes].flatMap(([module, size]) =>
        size[key] === usual ? [] : [[names.get(module)!, size[key]] as const],
      ),
    );
  const tied = adapters.some(isTied);
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r,
    lora_alpha: alpha,
    lora_dropout: dropout,
    bias: 'none',
    use_rslora: rslora,
    use_dora: dora,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
    base_model_name_or_path: null,
    target_modules: [...new Set([...names.values(), ...(tied ? [HEAD] : [])])],
    fan_in_fan_out: adapters.some((adapter) => adapter.use === 'product' && adapter.layout === 'in,out'),
    rank_pattern: pattern('r', r),
    alpha_pattern: pattern('alpha', alpha),
    ...(tied && { ensure_weight_tying: true }),
  };
}

/** Hugging Face's name of the output layer in both families. */
const HEAD = 'lm_head';

/** Of every adapted module the shortest end of its path that no module of another kind ends with. */
function shortNames(
  adapters: readonly Adapter[],
  { linears, parameters }: MethodTarget,
  kindOf: (module: string) => string,
): Map<string, string> {
  const weights = [...linears, ...adapters].map((layer) => layer.weight);
  const tables = parameters.flatMap(({ name, part }) =>
    part === 'embeddings' || part === 'head' ? [name] : [],
  );
  const modules = [...new Set([...weights, ...tables])].map((weight) => weight.replace(/\.weight$/, ''));
  const shortest = (module: string): string => {
    const words = module.split('.');
    for (let length = 1; length < words.length; length++) {
      const name = words.slice(-length).join('.');
      const meant = modules.filter((other) => other === name || other.endsWith(`.${name}`));
      if (meant.every((other) => kindOf(other) === kindOf(module))) return name;
    }
    return module;
  };
  return new Map(adapters.map(({ module }) => [module, shortest(module)]));
}

function need(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`the adapter needs the tensor ${name}, which is not there`);
  return tensor.data as Float32Array;
}

/**
 * One pair a module under PEFT's names: A (R, in), B (out, R) with a block for each slice, and DoRA's lengths (out), those
 * of the base where nothing is adapted. A tied embedding is stored twice: for the table, and transposed for the output layer.
 */
export function peftTensors(
  added: Tensors,
  adapters: readonly Adapter[],
  base: BaseWeights,
): Map<string, Tensor> {
  const result = new Map<string, Tensor>();
  const put = (name: string, shape: readonly number[], data: Float32Array) =>
    result.set(`base_model.model.${name}`, { dtype: 'f32', shape, data });
  for (const adapter of adapters) {
    const { module, inputs, outputs } = adapter;
    const { a, b, rank } = stacked(added, adapter);
    const [nameA, nameB] = isEmbedding(adapter)
      ? (['lora_embedding_A', 'lora_embedding_B'] as const)
      : (['lora_A.weight', 'lora_B.weight'] as const);
    put(`${module}.${nameA}`, [rank, inputs], a);
    put(`${module}.${nameB}`, [outputs, rank], b);
    if (isTied(adapter)) {
      put(`${HEAD}.lora_A.weight`, [rank, outputs], transposed(b, outputs, rank));
      put(`${HEAD}.lora_B.weight`, [inputs, rank], transposed(a, rank, inputs));
    }
    if (adapter.parts[0]!.magnitude !== undefined)
      put(`${module}.lora_magnitude_vector`, [outputs], lengths(added, adapter, base));
  }
  return result;
}

/** Parts of one weight side by side, B in the first part's scale. */
function stacked(
  added: Tensors,
  { parts, inputs, outputs }: Adapter,
): { a: Float32Array; b: Float32Array; rank: number } {
  const rank = parts.reduce((sum, part) => sum + storedRank(part), 0);
  const a = new Float32Array(rank * inputs);
  const b = new Float32Array(outputs * rank);
  let at = 0;
  for (const part of parts) {
    const [start, end] = part.columns;
    const ratio = part.scale / parts[0]!.scale;
    const pairs = [{ names: { a: part.a, b: part.b }, factor: ratio }];
    if (part.start !== undefined) pairs.push({ names: part.start, factor: -ratio });
    for (const { names, factor } of pairs) {
      a.set(need(added, names.a), at * inputs);
      const block = need(added, names.b);
      for (let o = start; o < end; o++)
        for (let k = 0; k < part.rank; k++)
          b[o * rank + at + k] = factor * block[(o - start) * part.rank + k]!;
      at += part.rank;
    }
  }
  return { a, b, rank };
}

function lengths(added: Tensors, adapter: Adapter, base: BaseWeights): Float32Array {
  const covered = adapter.parts.reduce((sum, { columns }) => sum + columns[1] - columns[0], 0);
  const all =
    covered === adapter.outputs
      ? new Float32Array(covered)
      : Float32Array.from(rowLengths(matrixOf(base, adapter)));
  for (const { magnitude, columns } of adapter.parts) all.set(need(added, magnitude!), columns[0]);
  return all;
}

/** (rows, columns) → (columns, rows) */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  return result;
}
