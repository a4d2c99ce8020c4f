/** What a config.json of GPT-2 says, each key checked, with what a key that is absent means. */
import { type ActivationName, activationNames } from '../layers/activations.ts';
import {
  choiceOf,
  countOf,
  flagOf,
  isClassifier,
  LARGEST,
  mustBe,
  mustDivide,
  positiveOf,
} from './config.ts';
import type { ModelConfig, ModelShape } from './model.ts';

export interface Gpt2Settings extends ModelShape {
  readonly inner: number;
  readonly epsilon: number;
  readonly activation: ActivationName;
  /** What the products of queries and keys of a block (from 0) are multiplied by. */
  attentionScale(block: number): number;
  /** The name of the output layer's weight; undefined for a reward model, which has none. */
  readonly head: string | undefined;
}

/** Errors: ModelError naming key, value and what would do. */
export function gpt2Settings(config: ModelConfig): Gpt2Settings {
  const width = countOf(config, 'n_embd', { largest: LARGEST.width });
  const heads = countOf(config, 'n_head', { largest: LARGEST.heads });
  mustDivide(heads, 'n_head', width, 'n_embd');
  mustBe(config, 'add_cross_attention', false);
  const scaled = flagOf(config, 'scale_attn_weights', true) ? 1 / Math.sqrt(width / heads) : 1;
  const byBlock = flagOf(config, 'scale_attn_by_inverse_layer_idx', false);
  return {
    blocks: countOf(config, 'n_layer', { largest: LARGEST.blocks }),
    width,
    heads,
    keyValueHeads: heads,
    headSize: width / heads,
    context: countOf(config, 'n_positions', { fallback: 1024, largest: LARGEST.vocabulary }),
    vocabularySize: countOf(config, 'vocab_size', { largest: LARGEST.vocabulary }),
    inner: countOf(config, 'n_inner', { fallback: 4 * width, largest: LARGEST.inner }),
    epsilon: positiveOf(config, 'layer_norm_epsilon', { fallback: 1e-5, zero: true }),
    activation: choiceOf(config, 'activation_function', activationNames, 'gelu_new'),
    attentionScale: (block) => (byBlock ? scaled / (block + 1) : scaled),
    head: headName(config),
  };
}

function headName(config: ModelConfig): string | undefined {
  if (flagOf(config, 'tie_word_embeddings', true)) return 'transformer.wte.weight';
  return isClassifier(config) ? undefined : 'lm_head.weight';
}
