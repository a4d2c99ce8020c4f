/** Tensor names, shapes and start values of Llama-like models. */
import { mustBe, numberOf } from './config.ts';
import type { Initializer, ModelConfig, ModelPart, ModelShape, ParameterSpec } from './model.ts';

/** Hugging Face module names of block `i` (norms with their `.weight`). */
export function llamaBlock(i: number) {
  const prefix = `model.layers.${i}`;
  return {
    attentionNorm: `${prefix}.input_layernorm.weight`,
    mlpNorm: `${prefix}.post_attention_layernorm.weight`,
    q: `${prefix}.self_attn.q_proj`,
    k: `${prefix}.self_attn.k_proj`,
    v: `${prefix}.self_attn.v_proj`,
    o: `${prefix}.self_attn.o_proj`,
    gate: `${prefix}.mlp.gate_proj`,
    up: `${prefix}.mlp.up_proj`,
    down: `${prefix}.mlp.down_proj`,
  };
}

/** Errors: Error for a setting under which Hugging Face would compute something else. */
function check(config: ModelConfig): void {
  mustBe(config, 'hidden_act', 'silu');
  mustBe(config, 'mlp_bias', false);
  mustBe(config, 'attention_bias', false);
  mustBe(config, 'use_sliding_window', false);
}

function partOf(name: string): ModelPart {
  if (name.includes('.self_attn.')) return 'attention';
  if (name.includes('.mlp.')) return 'mlp';
  if (name.endsWith('norm.weight')) return 'norms';
  return name === 'lm_head.weight' ? 'head' : 'embeddings';
}

/** Normal 0.02; projections into the residual stream 0.02 / √(2 · blocks), as GPT-2 does. */
export function llamaParameters(config: ModelConfig, shape: ModelShape): ParameterSpec[] {
  check(config);
  const { blocks, width, heads, keyValueHeads, headSize, vocabularySize } = shape;
  const inner = numberOf(config, 'intermediate_size');
  const std = numberOf(config, 'initializer_range', 0.02);
  const normal: Initializer = { kind: 'normal', std };
  const residual: Initializer = { kind: 'normal', std: std / Math.sqrt(2 * blocks) };
  const ones = (name: string): ParameterSpec => ({ name, shape: [width], initializer: { kind: 'ones' } });
  const hasBias = config.model_type === 'qwen2';
  const specs: ParameterSpec[] = [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width], initializer: normal },
  ];
  for (let i = 0; i < blocks; i++) {
    const block = llamaBlock(i);
    const projection = (module: string, outputs: number): void => {
      specs.push({ name: `${module}.weight`, shape: [outputs, width], initializer: normal });
      if (hasBias) specs.push({ name: `${module}.bias`, shape: [outputs], initializer: { kind: 'zeros' } });
    };
    specs.push(ones(block.attentionNorm));
    projection(block.q, heads * headSize);
    projection(block.k, keyValueHeads * headSize);
    projection(block.v, keyValueHeads * headSize);
    specs.push(
      { name: `${block.o}.weight`, shape: [width, heads * headSize], initializer: residual },
      ones(block.mlpNorm),
      { name: `${block.gate}.weight`, shape: [inner, width], initializer: normal },
      { name: `${block.up}.weight`, shape: [inner, width], initializer: normal },
      { name: `${block.down}.weight`, shape: [width, inner], initializer: residual },
    );
  }
  specs.push(ones('model.norm.weight'));
  if (config.tie_word_embeddings !== true) {
    specs.push({ name: 'lm_head.weight', shape: [vocabularySize, width], initializer: normal });
  }
  return specs.map((spec) => ({ ...spec, part: partOf(spec.name) }));
}
