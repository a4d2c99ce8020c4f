/** Adapters in PEFT's layout, folded into the base weights. */
import type { Json } from '../../compiler/catalog.ts';
import type { Tensor } from '../programs/ops.ts';
import type { BaseWeights } from './method.ts';

type Tensors = ReadonlyMap<string, Tensor>;
type Config = Readonly<Record<string, Json>>;

const PREFIX = 'base_model.model.';
const PAIRS = [
  { a: '.lora_A.weight', b: '.lora_B.weight', embedding: false },
  { a: '.lora_embedding_A', b: '.lora_embedding_B', embedding: true },
] as const;

/**
 * New values of the weights that an adapter changes. W + scale · B A, transposed where weights are stored (in, out): those
 * of embeddings, and `turned` (GPT-2's Conv1D; PEFT looks at the layer too, its `fan_in_fan_out` may say otherwise).
 * scale = lora_alpha / r, or / √r with `use_rslora`. With `lora_magnitude_vector` m (DoRA) each output is brought to length m: m · (W + ΔW) / ‖W + ΔW‖.
 * Sums in double, each weight rounded once. The base stays as it is: letting go of what is returned is unmerging, exactly.
 * Errors: Error naming a tensor that the base lacks, whose shape does not fit, or an initialization that changed the base.
 */
export function mergePeft(
  base: BaseWeights,
  adapter: Tensors,
  config: Config,
  turned: ReadonlySet<string>,
): Map<string, Tensor> {
  refuseOtherBase(config);
  const merged = new Map<string, Tensor>();
  for (const name of adapter.keys()) {
    const pair = PAIRS.find(({ a }) => name.endsWith(a));
    if (pair === undefined) continue;
    const module = name.slice(name.startsWith(PREFIX) ? PREFIX.length : 0, -pair.a.length);
    const path = name.slice(0, -pair.a.length);
    const weight = `${module}.weight`;
    if (base.get(weight) === undefined && repeatsEmbedding(module, adapter)) continue;
    merged.set(weight, mergeOne(base, adapter, { module, path, pair, config, turned }));
  }
  return merged;
}

interface One {
  readonly module: string;
  /** The module's path with the prefix that its tensors have. */
  readonly path: string;
  readonly pair: (typeof PAIRS)[number];
  readonly config: Config;
  readonly turned: ReadonlySet<string>;
}

function mergeOne(base: BaseWeights, adapter: Tensors, { module, path, pair, config, turned }: One): Tensor {
  const down = adapter.get(`${path}${pair.a}`)!;
  const up = adapter.get(`${path}${pair.b}`);
  const old = base.get(`${module}.weight`);
  if (!up) throw new Error(`the adapter has ${path}${pair.a} but no ${pair.b.slice(1)} beside it`);
  if (!old) throw new Error(`the adapter changes ${module}.weight, which the base model does not have`);
  const [rank, inputs] = down.shape as [number, number];
  const outputs = up.shape[0]!;
  const transposed = pair.embedding || turned.has(`${module}.weight`);
  const expected = transposed ? [inputs, outputs] : [outputs, inputs];
  if (expected.some((n, i) => n !== old.shape[i]))
    throw new Error(`the adapter of ${module} is for a (${expected}) weight, the base has (${old.shape})`);
  const alpha = byPattern(config.alpha_pattern, module) ?? Number(config.lora_alpha ?? rank);
  const scale = alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
  const magnitude = (
    adapter.get(`${path}.lora_magnitude_vector`) ?? adapter.get(`${path}.lora_magnitude_vector.weight`)
  )?.data;
  const data = new Float32Array(old.data.length);
  const [strideOut, strideIn] = transposed ? [1, outputs] : [inputs, 1];
  const row = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = up.data[o * rank + k]!;
      if (factor === 0) continue;
      const at = k * inputs;
      for (let i = 0; i < inputs; i++) row[i]! += factor * down.data[at + i]!;
    }
    let square = 0;
    for (let i = 0; i < inputs; i++) {
      const value = old.data[o * strideOut + i * strideIn]! + scale * row[i]!;
      row[i] = value;
      square += value * value;
    }
    const factor = magnitude === undefined || square === 0 ? 1 : magnitude[o]! / Math.sqrt(square);
    for (let i = 0; i < inputs; i++) data[o * strideOut + i * strideIn] = factor * row[i]!;
  }
  return { dtype: 'f32', shape: old.shape, data };
}

/** By the first key that names the module or the end of its path, as PEFT looks patterns up: keys are regular expressions. */
function byPattern(pattern: Json | undefined, module: string): number | undefined {
  if (pattern === null || typeof pattern !== 'object' || Array.isArray(pattern)) return undefined;
  const key = Object.keys(pattern).find((one) => new RegExp(`^(.*\\.)?(${one})$`).test(module));
  return key === undefined ? undefined : Number((pattern as Record<string, Json>)[key]);
}

/** Whether this is the output layer's copy of a tied embedding's adapter. */
const repeatsEmbedding = (module: string, adapter: Tensors): boolean =>
  module === 'lm_head' && [...adapter.keys()].some((name) => name.endsWith('.lora_embedding_A'));

/** Start values that PEFT takes from the base's weights and subtracts from them: its adapter then stands on another base. */
const CHANGED_BASE = /^(pissa|olora|corda|loftq)/i;

function refuseOtherBase({ init_lora_weights: init }: Config): void {
  if (typeof init !== 'string' || !CHANGED_BASE.test(init)) return;
  throw new Error(
    `the adapter starts from init_lora_weights="${init}", which changes the base; save it with PEFT's path_initial_model_for_weight_conversion`,
  );
}
