/** Mistral: Llama whose tokens look back at a window. @see https://arxiv.org/abs/2310.06825 */
import { countOf } from './config.ts';
import { llamaOptions } from './llama-config.ts';
import { llamaFamily } from './llama-family.ts';
import type { ModelFamily } from './model.ts';

const defaults = { rope_theta: 10_000, norm_epsilon: 1e-5 };

export const mistral: ModelFamily = llamaFamily({
  modelType: 'mistral',
  architecture: 'Mistral',
  defaults,
  configure: ({ window }) => ({ sliding_window: window ?? null }),
  biases: () => ({ qkv: false, output: false, mlp: false }),
  headNorms: false,
  windows(config, blocks) {
    const none = config.sliding_window === null;
    const window = none ? undefined : countOf(config, 'sliding_window', { fallback: 4096 });
    return new Array<number | undefined>(blocks).fill(window);
  },
  absent: { num_key_value_heads: 8, max_position_embeddings: 131_072 },
  entry: {
    name: 'mistral',
    summary: 'a Mistral model with new weights: Llama whose tokens look back at a window',
    details: [
      'As `llama`; with `window=W` a token looks at itself and the W − 1 before it, in every block.',
      'Written as a Hugging Face `MistralForCausalLM`. Source: [Mistral 7B](https://arxiv.org/abs/2310.06825).',
    ].join('\n'),
    example: 'pretrain(model=mistral(layers=4 width=128 heads=4 kv_heads=2 window=64))',
    options: {
      ...llamaOptions(defaults),
      window: {
        description: 'tokens that a token looks at, itself included',
        type: 'integer',
        minimum: 1,
        unit: 'tokens',
        defaultNote: 'all',
      },
    },
  },
});
