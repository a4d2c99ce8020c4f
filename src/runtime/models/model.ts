/** What a model family offers: its options, its weights and its forward program. */
import type { CallEntry, Json } from '../../compiler/catalog.ts';
import type { Shape } from '../programs/ops.ts';
import type { Node } from '../programs/program.ts';

/** A Hugging Face `config.json`, as it stands; checked as it is read, by `parameters`, `shape` and `forward`. */
export type ModelConfig = { readonly model_type: string; readonly [key: string]: Json };

export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  /** Mean 0. */
  | { readonly kind: 'normal'; readonly std: number }
  /** Between −bound and +bound. */
  | { readonly kind: 'uniform'; readonly bound: number };

/** What a weight belongs to. A tied head is the token embedding, and counts as `embeddings`. */
export type ModelPart = 'attention' | 'mlp' | 'norms' | 'embeddings' | 'head';

export interface ParameterSpec {
  /** Hugging Face tensor name. */
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** Of a model's own weights; the token embedding is the first of `embeddings`. */
  readonly part?: ModelPart;
}

/** A linear layer that methods may adapt, with the name that `targets=` uses for it. */
export interface LinearLayer {
  readonly target: 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';
  /** 0-based. */
  readonly block: number;
  /** Tensor name of its weight: `model.layers.0.self_attn.q_proj.weight`. */
  readonly weight: string;
  readonly inputs: number;
  readonly outputs: number;
  /** `out,in` (nn.Linear, y = x Wᵀ) or `in,out` (GPT-2's Conv1D, y = x W). */
  readonly layout: 'out,in' | 'in,out';
  /** Where the layer is a slice of a fused weight's outputs (GPT-2's c_attn): first and one-past-last output. */
  readonly columns?: readonly [number, number];
}

export interface ForwardInputs {
  /** i32 (B, T) */
  readonly ids: Node;
  /** i32 (B, T) or (1, T): the position of each token in its own sequence, below S. */
  readonly positions: Node;
  /**
   * f32, broadcasts to (B, 1, T, S), added to the scores: 0 where a query may look, a large negative number where not.
   * S = past length + T. Causality is part of it; a batch that is padded on the right needs nothing else.
   */
  readonly bias: Node;
  /** Keys (rotated) and values of earlier tokens, one pair a block, each f32 (B, Hkv, P, Dh). */
  readonly past?: readonly { readonly key: Node; readonly value: Node }[];
  /**
   * As `bias`, for the blocks with a window (`ModelShape.window`): what it hides is hidden too. Needed where there is a past
   * and S is larger than the window; without a past it follows from `bias`.
   */
  readonly windowBias?: Node;
  /** Positions that rotary tables are made for; S where absent. For programs whose sizes are not known when they are built. */
  readonly tableRows?: number;
}

export interface ForwardOutputs {
  /** f32 (B, T, D), after the final norm. */
  readonly hidden: Node;
  /** Keys (rotated) and values of *these* tokens, one pair a block, each f32 (B, Hkv, T, Dh). */
  readonly present: readonly { readonly key: Node; readonly value: Node }[];
}

export interface ModelFamily {
  /** `config.model_type` of the configs it makes and reads. */
  readonly modelType: string;
  /** What `config.architectures` may name; the first is the language model. */
  readonly architectures: readonly string[];
  readonly entry: CallEntry;
  /** Options of `llama(…)` → config.json. Errors: Error with a sentence for people (heads that do not divide the width). */
  configure(options: Readonly<Record<string, Json>>, tokens: SpecialTokens): ModelConfig;
  parameters(config: ModelConfig): readonly ParameterSpec[];
  linears(config: ModelConfig): readonly LinearLayer[];
  /** Number of blocks, and the tensor names that belong to each (for `freeze`). */
  blocks(config: ModelConfig): readonly (readonly string[])[];
  forward(config: ModelConfig, inputs: ForwardInputs): ForwardOutputs;
  /**
   * The output embedding as a parameter node (V, D): its own tensor, or the tied embedding. Errors: ModelError for a
   * reward model, which has none.
   */
  head(config: ModelConfig): Node;
  shape(config: ModelConfig): ModelShape;
  /**
   * The name here of a tensor in a checkpoint (GPT-2's hub file has no `transformer.` prefix); undefined for one to
   * ignore: a mask buffer, the copy of a tied head.
   */
  canonicalName(config: ModelConfig, name: string): string | undefined;
}

export interface SpecialTokens {
  readonly vocabularySize: number;
  readonly bos?: number;
  readonly eos: number;
  readonly pad: number;
}

export interface ModelShape {
  readonly blocks: number;
  readonly width: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Tokens of the longest sequence. */
  readonly context: number;
  readonly vocabularySize: number;
  /** Tokens that a token looks at, itself included, in the blocks that have a window. */
  readonly window?: number;
  /**
   * Above so many tokens the length of a program changes what it computes (rotary scaling `dynamic`): prompts are not
   * padded beyond it.
   */
  readonly fixedUpTo?: number;
}
