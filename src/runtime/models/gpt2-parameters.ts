/** Tensor names, shapes and start values of GPT-2. */
import { mustBe, numberOf } from './config.ts';
import type { Initializer, ModelConfig, ModelPart, ModelShape, ParameterSpec } from './model.ts';

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

/** Errors: Error for a setting under which Hugging Face would compute something else. */
function check(config: ModelConfig): void {
  mustBe(config, 'activation_function', 'gelu_new', 'gelu_pytorch_tanh', 'gelu');
  mustBe(config, 'scale_attn_weights', true);
  mustBe(config, 'scale_attn_by_inverse_layer_idx', false);
  mustBe(config, 'add_cross_attention', false);
}

function partOf(name: string): ModelPart {
  if (name.includes('.attn.')) return 'attention';
  if (name.includes('.mlp.')) return 'mlp';
  if (name.includes('.ln_')) return 'norms';
  return name === 'lm_head.weight' ? 'head' : 'embeddings';
}

/** Normal 0.02; projections into the residual stream 0.02 / √(2 · blocks); biases 0; norms 1 and 0. */
export function gpt2Parameters(config: ModelConfig, shape: ModelShape): ParameterSpec[] {
  check(config);
  const { blocks, width, context, vocabularySize } = shape;
  const inner = numberOf(config, 'n_inner', 4 * width);
  const std = numberOf(config, 'initializer_range', 0.02);
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
  if (config.tie_word_embeddings === false) {
    specs.push({ name: 'lm_head.weight', shape: [vocabularySize, width], initializer: normal });
  }
  return specs.map((spec) => ({ ...spec, part: partOf(spec.name) }));
}
