/** Tensor names, shapes and start values of Llama-like models. */
import { positiveOf } from './config.ts';
import type { LlamaSettings } from './llama-settings.ts';
import type { Initializer, ModelConfig, ModelPart, ParameterSpec } from './model.ts';

/** Hugging Face module names of block `i` (norms with their `.weight`). */
export function llamaBlock(i: number) {
  const prefix = `model.layers.${i}`;
  return {
    attentionNorm: `${prefix}.input_layernorm.weight`,
    mlpNorm: `${prefix}.post_attention_layernorm.weight`,
    queryNorm: `${prefix}.self_attn.q_norm.weight`,
    keyNorm: `${prefix}.self_attn.k_norm.weight`,
    q: `${prefix}.self_attn.q_proj`,
    k: `${prefix}.self_attn.k_proj`,
    v: `${prefix}.self_attn.v_proj`,
    o: `${prefix}.self_attn.o_proj`,
    gate: `${prefix}.mlp.gate_proj`,
    up: `${prefix}.mlp.up_proj`,
    down: `${prefix}.mlp.down_proj`,
  };
}

function partOf(name: string): ModelPart {
  if (name.endsWith('norm.weight')) return 'norms';
  if (name.includes('.self_attn.')) return 'attention';
  if (name.includes('.mlp.')) return 'mlp';
  return name === 'lm_head.weight' ? 'head' : 'embeddings';
}

/** Inputs and outputs of the linear layers of a block, by what `targets=` calls them. */
export function linearSizes({ width, inner, heads, keyValueHeads, headSize }: LlamaSettings) {
  const [query, key] = [heads * headSize, keyValueHeads * headSize];
  return {
    q: [width, query],
    k: [width, key],
    v: [width, key],
    o: [query, width],
    gate: [width, inner],
    up: [width, inner],
    down: [inner, width],
  } as const;
}

/** Normal 0.02; projections into the residual stream 0.02 / √(2 · blocks), as GPT-2 does; biases 0, norms 1. */
export function llamaParameters(config: ModelConfig, settings: LlamaSettings): ParameterSpec[] {
  const { blocks, width, headSize, vocabularySize, biases, headNorms, head } = settings;
  const std = positiveOf(config, 'initializer_range', { fallback: 0.02, zero: true });
  const normal: Initializer = { kind: 'normal', std };
  const residual: Initializer = { kind: 'normal', std: std / Math.sqrt(2 * blocks) };
  const sizes = linearSizes(settings);
  const ones = (name: string, size = width): ParameterSpec => ({
    name,
    shape: [size],
    initializer: { kind: 'ones' },
  });
  const specs: ParameterSpec[] = [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width], initializer: normal },
  ];
  for (let i = 0; i < blocks; i++) {
    const block = llamaBlock(i);
    const map = (target: keyof typeof sizes, bias: boolean, initializer = normal): void => {
      const [inputs, outputs] = sizes[target];
      specs.push({ name: `${block[target]}.weight`, shape: [outputs, inputs], initializer });
      if (bias)
        specs.push({ name: `${block[target]}.bias`, shape: [outputs], initializer: { kind: 'zeros' } });
    };
    specs.push(ones(block.attentionNorm));
    for (const target of ['q', 'k', 'v'] as const) map(target, biases.qkv);
    if (headNorms) specs.push(ones(block.queryNorm, headSize), ones(block.keyNorm, headSize));
    map('o', biases.output, residual);
    specs.push(ones(block.mlpNorm));
    for (const target of ['gate', 'up'] as const) map(target, biases.mlp);
    map('down', biases.mlp, residual);
  }
  specs.push(ones('model.norm.weight'));
  if (head === 'lm_head.weight')
    specs.push({ name: 'lm_head.weight', shape: [vocabularySize, width], initializer: normal });
  return specs.map((spec) => ({ ...spec, part: partOf(spec.name) }));
}
