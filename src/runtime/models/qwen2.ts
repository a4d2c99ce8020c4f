/** Qwen2: Llama with biases on q, k and v; some releases with a window in the upper blocks. @see https://arxiv.org/abs/2407.10671 */
import { llamaOptions } from './llama-config.ts';
import { llamaFamily } from './llama-family.ts';
import { windowsOfLayers } from './llama-settings.ts';
import type { ModelFamily } from './model.ts';

const defaults = { rope_theta: 1_000_000, norm_epsilon: 1e-6 };

export const qwen2: ModelFamily = llamaFamily({
  modelType: 'qwen2',
  architecture: 'Qwen2',
  defaults,
  configure: () => ({ use_sliding_window: false }),
  biases: () => ({ qkv: true, output: false, mlp: false }),
  headNorms: false,
  windows: windowsOfLayers,
  absent: { num_key_value_heads: 32, max_position_embeddings: 32_768 },
  entry: {
    name: 'qwen2',
    summary: 'a Qwen2 model with new weights: Llama with biases on q, k and v',
    details: [
      'As `llama`, with biases (starting at 0) on the query, key and value projections and rotary base 1,000,000.',
      'Written as a Hugging Face `Qwen2ForCausalLM`. Source: [Qwen2](https://arxiv.org/abs/2407.10671).',
    ].join('\n'),
    example: 'pretrain(model=qwen2(layers=4 width=128 heads=4 kv_heads=2))',
    options: llamaOptions(defaults),
  },
});
