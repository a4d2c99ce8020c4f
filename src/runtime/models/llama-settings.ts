/** What a config.json of the Llama family says, each key checked, with what a key that is absent means. */
import type { CallEntry, Json } from '../../compiler/catalog.ts';
import { type ActivationName, activationNames } from '../layers/activations.ts';
import {
  choiceOf,
  countOf,
  flagOf,
  isClassifier,
  LARGEST,
  missing,
  mustDivide,
  positiveOf,
  wrongValue,
} from './config.ts';
import type { ModelConfig, ModelShape } from './model.ts';
import { ModelError } from './model-error.ts';
import { type Rope, ropeOf } from './rope.ts';

export interface Biases {
  readonly qkv: boolean;
  readonly output: boolean;
  readonly mlp: boolean;
}

/** What one architecture of the family has of its own. */
export interface LlamaVariant {
  readonly modelType: string;
  /** `Llama` of `LlamaForCausalLM`. */
  readonly architecture: string;
  readonly entry: CallEntry;
  /** Of a model call that does not say. */
  readonly defaults: { readonly rope_theta: number; readonly norm_epsilon: number };
  /** Keys of config.json beside those of every Llama, for a model call. */
  configure(options: Readonly<Record<string, Json>>): Readonly<Record<string, Json>>;
  biases(config: ModelConfig): Biases;
  /** RMSNorm of each head of queries and keys. */
  readonly headNorms: boolean;
  /** Tokens that each block looks back at, itself included; undefined: at all. */
  windows(config: ModelConfig, blocks: number): readonly (number | undefined)[];
  /** What transformers takes where a key is absent; null has the meaning of the key itself. */
  readonly absent: {
    readonly num_key_value_heads?: number;
    readonly head_dim?: number;
    readonly max_position_embeddings: number;
  };
}

export interface LlamaSettings extends ModelShape {
  readonly inner: number;
  readonly epsilon: number;
  readonly activation: ActivationName;
  readonly biases: Biases;
  readonly headNorms: boolean;
  /** Of each block. */
  readonly windows: readonly (number | undefined)[];
  readonly rope: Rope;
  /** The name of the output layer's weight; undefined for a reward model, which has none. */
  readonly head: string | undefined;
}

/** Reads a config once. Errors: ModelError naming key, value and what would do. */
export function settingsReader(variant: LlamaVariant): (config: ModelConfig) => LlamaSettings {
  const known = new WeakMap<ModelConfig, LlamaSettings>();
  return (config) => {
    const read = known.get(config) ?? readSettings(config, variant);
    known.set(config, read);
    return read;
  };
}

function readSettings(config: ModelConfig, variant: LlamaVariant): LlamaSettings {
  const blocks = countOf(config, 'num_hidden_layers', { largest: LARGEST.blocks });
  const sizes = headsOf(config, variant);
  const windows = variant.windows(config, blocks);
  const window = windows.find((tokens) => tokens !== undefined);
  const fallback = variant.absent.max_position_embeddings;
  const rope = ropeOf(config, sizes.headSize, countOf(config, 'max_position_embeddings', { fallback }));
  return {
    blocks,
    ...sizes,
    context: rope.context,
    ...(rope.fixedUpTo !== undefined && { fixedUpTo: rope.fixedUpTo }),
    ...(window !== undefined && { window }),
    vocabularySize: countOf(config, 'vocab_size', { largest: LARGEST.vocabulary }),
    inner: countOf(config, 'intermediate_size', { largest: LARGEST.inner }),
    epsilon: positiveOf(config, 'rms_norm_eps', { fallback: 1e-6, zero: true }),
    activation: choiceOf(config, 'hidden_act', activationNames, 'silu'),
    biases: variant.biases(config),
    headNorms: variant.headNorms,
    windows,
    rope,
    head: headName(config),
  };
}

function headsOf(config: ModelConfig, { absent }: LlamaVariant) {
  const width = countOf(config, 'hidden_size', { largest: LARGEST.width });
  const heads = countOf(config, 'num_attention_heads', { largest: LARGEST.heads });
  const fallback =
    (config.num_key_value_heads === undefined ? absent.num_key_value_heads : undefined) ?? heads;
  const keyValueHeads = countOf(config, 'num_key_value_heads', { fallback, largest: LARGEST.heads });
  if (config.num_key_value_heads === undefined && heads % keyValueHeads !== 0)
    throw missing(config, 'num_key_value_heads');
  mustDivide(keyValueHeads, 'num_key_value_heads', heads, 'num_attention_heads');
  return { width, heads, keyValueHeads, headSize: headSizeOf(config, absent.head_dim, width, heads) };
}

function headSizeOf(config: ModelConfig, absent: number | undefined, width: number, heads: number): number {
  const given = config.head_dim === undefined ? absent : config.head_dim;
  if (given === undefined || given === null) mustDivide(heads, 'num_attention_heads', width, 'hidden_size');
  const fallback = absent ?? Math.max(1, Math.floor(width / heads));
  const headSize = countOf(config, 'head_dim', { fallback, largest: LARGEST.headSize });
  if (headSize % 2 === 0) return headSize;
  if ((given ?? null) !== null) throw wrongValue('head_dim', given!, 'even: rotary positions turn pairs');
  throw new ModelError(
    `rotary positions need an even head size; hidden_size=${width} / num_attention_heads=${heads} is ${headSize}`,
  );
}

function headName(config: ModelConfig): string | undefined {
  if (flagOf(config, 'tie_word_embeddings', false)) return 'model.embed_tokens.weight';
  return isClassifier(config) ? undefined : 'lm_head.weight';
}

/** No block looks back at less than all. */
export const noWindows: LlamaVariant['windows'] = (_, blocks) => new Array<undefined>(blocks).fill(undefined);

/** Qwen2 and Qwen3: the blocks that `layer_types` names, or those from `max_window_layers` on, with `use_sliding_window`. */
export function windowsOfLayers(config: ModelConfig, blocks: number): (number | undefined)[] {
  const used = flagOf(config, 'use_sliding_window', false) && config.sliding_window !== null;
  const window = used ? countOf(config, 'sliding_window', { fallback: 4096 }) : undefined;
  const slides = layerTypes(config, blocks);
  if (window === undefined && slides?.includes(true))
    throw new ModelError(
      'config.json has layer_types with "sliding_attention", and no sliding window: use_sliding_window is false',
      ['set use_sliding_window to true, or every layer to "full_attention"'],
    );
  const first = config.max_window_layers === 0 ? 0 : countOf(config, 'max_window_layers', { fallback: 28 });
  return Array.from({ length: blocks }, (_, i) => ((slides?.[i] ?? i >= first) ? window : undefined));
}

function layerTypes(config: ModelConfig, blocks: number): boolean[] | undefined {
  const types = config.layer_types ?? null;
  if (types === null) return undefined;
  const legal = ['full_attention', 'sliding_attention'];
  const fits =
    Array.isArray(types) && types.length === blocks && types.every((t) => legal.includes(t as string));
  if (fits) return types.map((type) => type === 'sliding_attention');
  throw wrongValue('layer_types', types, `a list of ${blocks} names, each "${legal[0]}" or "${legal[1]}"`);
}

/** What others see of it. */
export function shapeOf(settings: LlamaSettings): ModelShape {
  const { blocks, width, heads, keyValueHeads, headSize, context, vocabularySize, window, fixedUpTo } =
    settings;
  return {
    blocks,
    width,
    heads,
    keyValueHeads,
    headSize,
    context,
    vocabularySize,
    ...(window !== undefined && { window }),
    ...(fixedUpTo !== undefined && { fixedUpTo }),
  };
}
