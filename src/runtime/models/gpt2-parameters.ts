/** Tensor names, shapes and start values of GPT-2. */
import { positiveOf } from './config.ts';
import type { Gpt2Settings } from './gpt2-settings.ts';
import type { Initializer, ModelConfig, ModelPart, ParameterSpec } from './model.ts';

/** Hugging Face module names of block `i`. */
export function gpt2Block(i: number) {
  const prefix = `transformer.h.${i}`;
  return {
    attentionNorm: `${prefix}.ln_1`,
    qkv: `${prefix}.attn.c_attn`,
    o: `${prefix}.attn.c_proj`,
    mlpNorm: `${prefix}.ln_2`,
    up: `${prefix}.mlp.c_fc`,
    down: `${prefix}.mlp.c_proj`,
  };
}

function partOf(name: string): ModelPart {
  if (name.includes('.attn.')) return 'attention';
  if (name.includes('.mlp.')) return 'mlp';
  if (name.includes('.ln_')) return 'norms';
  return name === 'lm_head.weight' ? 'head' : 'embeddings';
}

/** Normal 0.02; projections into the residual stream 0.02 / √(2 · blocks); biases 0; norms 1 and 0. */
export function gpt2Parameters(config: ModelConfig, settings: Gpt2Settings): ParameterSpec[] {
  const { blocks, width, inner, context, vocabularySize, head } = settings;
  const std = positiveOf(config, 'initializer_range', { fallback: 0.02, zero: true });
  const normal: Initializer = { kind: 'normal', std };
  const residual: Initializer = { kind: 'normal', std: std / Math.sqrt(2 * blocks) };
  const specs: ParameterSpec[] = [
    { name: 'transformer.wte.weight', shape: [vocabularySize, width], initializer: normal },
    { name: 'transformer.wpe.weight', shape: [context, width], initializer: normal },
  ];
  const norm = (module: string): void => {
    specs.push(
      { name: `${module}.weight`, shape: [width], initializer: { kind: 'ones' } },
      { name: `${module}.bias`, shape: [width], initializer: { kind: 'zeros' } },
    );
  };
  const map = (module: string, inputs: number, outputs: number, initializer: Initializer): void => {
    specs.push(
      { name: `${module}.weight`, shape: [inputs, outputs], initializer },
      { name: `${module}.bias`, shape: [outputs], initializer: { kind: 'zeros' } },
    );
  };
  for (let i = 0; i < blocks; i++) {
    const block = gpt2Block(i);
    norm(block.attentionNorm);
    map(block.qkv, width, 3 * width, normal);
    map(block.o, width, width, residual);
    norm(block.mlpNorm);
    map(block.up, width, inner, normal);
    map(block.down, inner, width, residual);
  }
  norm('transformer.ln_f');
  if (head === 'lm_head.weight')
    specs.push({ name: 'lm_head.weight', shape: [vocabularySize, width], initializer: normal });
  return specs.map((spec) => ({ ...spec, part: partOf(spec.name) }));
}
