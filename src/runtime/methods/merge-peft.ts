/** Adapters in PEFT's layout, folded into the base weights. */
import type { Tensor } from '../programs/ops.ts';
import type { BaseWeights } from './method.ts';
import { PeftError } from './peft-error.ts';
import { checkSettings, numbersByPattern, type PeftConfig } from './peft-settings.ts';

type Tensors = ReadonlyMap<string, Tensor>;

const PREFIX = 'base_model.model.';
const KINDS = [
  { a: '.lora_A.weight', b: '.lora_B.weight', embedding: false },
  { a: '.lora_embedding_A', b: '.lora_embedding_B', embedding: true },
] as const;

/** The tensors that PEFT adds to one module. */
export interface PeftPair {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  /** The module's weight in the base. */
  readonly weight: string;
  /** (r, in) */
  readonly down: Tensor;
  /** (out, r) */
  readonly up: Tensor;
  /** DoRA's lengths, (out). */
  readonly magnitude: Tensor | undefined;
  /** Of an embedding's rows: their weight is (in, out). */
  readonly embedding: boolean;
}

/** A tensor's name without what PEFT puts before the model's own names. */
export const withoutPrefix = (name: string): string =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;

/** Errors: PeftError for a tensor A without its B. */
export function pairsOf(adapter: Tensors): PeftPair[] {
  return [...adapter].flatMap(([name, down]) => {
    const kind = KINDS.find(({ a }) => name.endsWith(a));
    if (kind === undefined) return [];
    const path = name.slice(0, -kind.a.length);
    const up = adapter.get(`${path}${kind.b}`);
    if (!up) throw new PeftError(`the adapter has ${path}${kind.a} but no ${kind.b.slice(1)} beside it`);
    const magnitude =
      adapter.get(`${path}.lora_magnitude_vector`) ?? adapter.get(`${path}.lora_magnitude_vector.weight`);
    const module = withoutPrefix(path);
    return [{ module, weight: `${module}.weight`, down, up, magnitude, embedding: kind.embedding }];
  });
}

/** What an adapter adds to one weight: scale · up down, turned round where the weight lies (in, out). */
export interface LowRank {
  /** (r, in) */
  readonly down: Tensor;
  /** (out, r) */
  readonly up: Tensor;
  readonly scale: number;
  readonly turned: boolean;
}

/** New values of the weights that an adapter changes, each computed when it is asked for. */
export interface PeftMerge {
  readonly changed: ReadonlySet<string>;
  merge(weight: string): Tensor;
  /** What is added to a weight; undefined where a change is more than a sum (DoRA). */
  added(weight: string): LowRank | undefined;
}

/**
 * W + scale · B A, transposed where weights are stored (in, out): those of embeddings, and `turned` (GPT-2's Conv1D; PEFT
 * looks at the layer too, its `fan_in_fan_out` may say otherwise). scale = lora_alpha / r, or / √r with `use_rslora`. With
 * `lora_magnitude_vector` m (DoRA) each output is brought to length m: m · (W + ΔW) / ‖W + ΔW‖.
 * Sums in double, each weight rounded once. The base stays as it is: letting go of what is returned is unmerging, exactly.
 * Errors: PeftError naming a tensor that the base lacks, whose shape does not fit, or a setting that is not computed.
 */
export function peftMerge(
  base: BaseWeights,
  adapter: Tensors,
  config: PeftConfig,
  turned: ReadonlySet<string>,
): PeftMerge {
  checkSettings(config);
  const all = pairsOf(adapter);
  const repeated = all.some(({ embedding }) => embedding);
  // The output layer's copy of a tied embedding's adapter is not a weight of its own.
  const pairs = all.filter(
    ({ module, weight }) => !(module === 'lm_head' && repeated && base.get(weight) === undefined),
  );
  const alphas = numbersByPattern(
    config.alpha_pattern,
    pairs.map(({ module }) => module),
  );
  const byWeight = new Map(pairs.map((pair) => [pair.weight, pair]));
  const scaleOf = ({ down, module }: PeftPair): number => {
    const rank = down.shape[0]!;
    const alpha = alphas.get(module) ?? Number(config.lora_alpha ?? DEFAULT_ALPHA);
    return alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
  };
  const isTurned = ({ embedding, weight }: PeftPair): boolean => embedding || turned.has(weight);
  return {
    changed: new Set(byWeight.keys()),
    merge(weight) {
      const pair = byWeight.get(weight)!;
      return mergeOne(base, pair, scaleOf(pair), isTurned(pair));
    },
    added(weight) {
      const pair = byWeight.get(weight)!;
      const { down, up, magnitude } = pair;
      return magnitude === undefined ? { down, up, scale: scaleOf(pair), turned: isTurned(pair) } : undefined;
    },
  };
}

/** PEFT's, where adapter_config.json does not say. */
const DEFAULT_ALPHA = 8;

/** All weights that an adapter changes: `peftMerge`. */
export function mergePeft(
  base: BaseWeights,
  adapter: Tensors,
  config: PeftConfig,
  turned: ReadonlySet<string>,
): Map<string, Tensor> {
  const { changed, merge } = peftMerge(base, adapter, config, turned);
  return new Map([...changed].map((weight) => [weight, merge(weight)]));
}

function mergeOne(base: BaseWeights, pair: PeftPair, scale: number, transposed: boolean): Tensor {
  const { module, weight, down, up } = pair;
  const old = base.get(weight);
  if (!old) throw new PeftError(`the adapter changes ${weight}, which the base model does not have`);
  const [rank, inputs] = down.shape as [number, number];
  const outputs = up.shape[0]!;
  const expected = transposed ? [inputs, outputs] : [outputs, inputs];
  if (expected.some((n, i) => n !== old.shape[i]))
    throw new PeftError(
      `the adapter of ${module} is for a (${expected}) weight, the base has (${old.shape})`,
    );
  const magnitude = pair.magnitude?.data;
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
