/** Llama, and what is published as one: TinyLlama, SmolLM, Yi, DeepSeek LLM, Vicuna. */
import { flagOf } from './config.ts';
import { llamaOptions } from './llama-config.ts';
import { llamaFamily } from './llama-family.ts';
import { noWindows } from './llama-settings.ts';
import type { ModelFamily } from './model.ts';

const defaults = { rope_theta: 10_000, norm_epsilon: 1e-5 };

export const llama: ModelFamily = llamaFamily({
  modelType: 'llama',
  architecture: 'Llama',
  defaults,
  configure: () => ({ attention_bias: false, mlp_bias: false, rope_scaling: null }),
  biases(config) {
    const attention = flagOf(config, 'attention_bias', false);
    return { qkv: attention, output: attention, mlp: flagOf(config, 'mlp_bias', false) };
  },
  headNorms: false,
  windows: noWindows,
  absent: { max_position_embeddings: 2048 },
  entry: {
    name: 'llama',
    summary: 'a Llama model with new weights: RMSNorm, rotary positions, grouped-query attention, SwiGLU',
    details: [
      'Weights start from a normal distribution of standard deviation 0.02, those that write into the residual',
      'stream divided by √(2 · layers); norms start at 1. The bare `llama` is made for a CPU: 4 blocks of width 128.',
      'Written as a Hugging Face `LlamaForCausalLM`.',
      '',
      'Sources: [LLaMA](https://arxiv.org/abs/2302.13971), [grouped queries](https://arxiv.org/abs/2305.13245),',
      '[rotary positions](https://arxiv.org/abs/2104.09864).',
    ].join('\n'),
    example: 'pretrain(model=llama(layers=4 width=256 heads=4 kv_heads=2 context=256))',
    options: llamaOptions(defaults),
  },
});
