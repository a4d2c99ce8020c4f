/** Qwen3: Llama with a norm on each head of queries and keys. @see https://arxiv.org/abs/2505.09388 */
import { flagOf } from './config.ts';
import { llamaOptions } from './llama-config.ts';
import { llamaFamily } from './llama-family.ts';
import { windowsOfLayers } from './llama-settings.ts';
import type { ModelFamily } from './model.ts';

const defaults = { rope_theta: 1_000_000, norm_epsilon: 1e-6 };

export const qwen3: ModelFamily = llamaFamily({
  modelType: 'qwen3',
  architecture: 'Qwen3',
  defaults,
  configure: () => ({ attention_bias: false, use_sliding_window: false }),
  biases(config) {
    const attention = flagOf(config, 'attention_bias', false);
    return { qkv: attention, output: attention, mlp: false };
  },
  headNorms: true,
  windows: windowsOfLayers,
  absent: { num_key_value_heads: 32, head_dim: 128, max_position_embeddings: 32_768 },
  entry: {
    name: 'qwen3',
    summary: 'a Qwen3 model with new weights: Llama with a norm on each head of queries and keys',
    details: [
      'As `llama`, with an RMSNorm over each head of queries and keys before they are turned, and rotary base 1,000,000.',
      'Written as a Hugging Face `Qwen3ForCausalLM`. Source: [Qwen3](https://arxiv.org/abs/2505.09388).',
    ].join('\n'),
    example: 'pretrain(model=qwen3(layers=4 width=128 heads=4 kv_heads=2))',
    options: llamaOptions(defaults),
  },
});
