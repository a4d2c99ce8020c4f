/** Options of a model call: the config they make, its parameters, and what is refused. */
import { expect, test } from 'vitest';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import { qwen2 } from '../../src/runtime/models/qwen2.ts';
import { sizeOf } from '../../src/runtime/programs/program.ts';

const tokens = { vocabularySize: 1000, bos: 1, eos: 2, pad: 0 };
const count = (family: typeof llama, options: Parameters<typeof llama.configure>[0]) =>
  family.parameters(family.configure(options, tokens)).reduce((n, spec) => n + sizeOf(spec.shape), 0);

test('a bare llama is small, whole and tied', () => {
  const config = llama.configure({}, tokens);
  expect(config).toMatchObject({
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    vocab_size: 1000,
    hidden_size: 128,
    intermediate_size: 352,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    head_dim: 32,
    max_position_embeddings: 128,
    rope_theta: 10_000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
  });
  const block = 4 * 128 * 128 + 3 * 128 * 352 + 2 * 128;
  expect(count(llama, {})).toBe(1000 * 128 + 4 * block + 128);
  expect(llama.head(config)).toBe(llama.head(config));
});

test.each([llama, gpt2])(
  "no start token is written as none, so that no tool supposes the family's own",
  (family) => {
    expect(family.configure({}, { vocabularySize: 1000, eos: 2, pad: 0 }).bos_token_id).toBeNull();
  },
);

test('options change what they name', () => {
  const config = llama.configure(
    { layers: 2, width: 64, heads: 4, kv_heads: 2, mlp: 100, tied: false },
    tokens,
  );
  expect(llama.shape(config)).toEqual({
    blocks: 2,
    width: 64,
    heads: 4,
    keyValueHeads: 2,
    headSize: 16,
    context: 128,
    vocabularySize: 1000,
  });
  const shapes = new Map(llama.parameters(config).map((spec) => [spec.name, spec.shape]));
  expect(shapes.get('model.layers.1.self_attn.k_proj.weight')).toEqual([32, 64]);
  expect(shapes.get('model.layers.1.mlp.up_proj.weight')).toEqual([100, 64]);
  expect(shapes.get('lm_head.weight')).toEqual([1000, 64]);
  expect(llama.head(config).attributes).toEqual({ name: 'lm_head.weight' });
});

test('published sizes', () => {
  const llama7b = { layers: 32, width: 4096, heads: 32, mlp: 11_008, tied: false };
  const config = { ...llama.configure(llama7b, { ...tokens, vocabularySize: 32_000 }) };
  expect(llama.parameters(config).reduce((n, spec) => n + sizeOf(spec.shape), 0)).toBe(6_738_415_616);
  const small = { layers: 12, width: 768, heads: 12, context: 1024 };
  const gpt = gpt2.configure(small, { ...tokens, vocabularySize: 50_257 });
  expect(gpt2.parameters(gpt).reduce((n, spec) => n + sizeOf(spec.shape), 0)).toBe(124_439_808);
});

test('start values: 0.02, less for what writes into the residual stream', () => {
  const find = (family: typeof llama, name: string) =>
    family.parameters(family.configure({ layers: 8 }, tokens)).find((spec) => spec.name.endsWith(name))
      ?.initializer;
  expect(find(llama, 'q_proj.weight')).toEqual({ kind: 'normal', std: 0.02 });
  expect(find(llama, 'o_proj.weight')).toEqual({ kind: 'normal', std: 0.005 });
  expect(find(llama, 'down_proj.weight')).toEqual({ kind: 'normal', std: 0.005 });
  expect(find(gpt2, 'mlp.c_proj.weight')).toEqual({ kind: 'normal', std: 0.005 });
  expect(find(gpt2, 'c_attn.bias')).toEqual({ kind: 'zeros' });
  expect(find(qwen2, 'q_proj.bias')).toEqual({ kind: 'zeros' });
  expect(find(llama, 'norm.weight')).toEqual({ kind: 'ones' });
});

test('sizes that do not fit each other are refused in words', () => {
  expect(() => llama.configure({ heads: 3 }, tokens)).toThrow('heads=3 does not divide width=128');
  expect(() => llama.configure({ kv_heads: 3 }, tokens)).toThrow('kv_heads=3 does not divide heads=4');
  expect(() => llama.configure({ width: 100, heads: 20 }, tokens)).toThrow(
    'rotary positions need an even head size; width=100 / heads=20 is 5',
  );
  expect(() => gpt2.configure({ heads: 7 }, tokens)).toThrow('heads=7 does not divide width=128');
});

test('a setting that would change the numbers is refused by name', () => {
  const config = { ...llama.configure({}, tokens), hidden_act: 'quick_gelu' };
  expect(() => llama.parameters(config)).toThrow(
    'config.json has hidden_act="quick_gelu", which is not supported (known: "silu"',
  );
  const crossed = { ...gpt2.configure({}, tokens), add_cross_attention: true };
  expect(() => gpt2.parameters(crossed)).toThrow('add_cross_attention=true, which is not supported');
});

test('tensors of a checkpoint that are no weights', () => {
  const tied = llama.configure({}, tokens);
  const apart = llama.configure({ tied: false }, tokens);
  expect(llama.canonicalName(tied, 'lm_head.weight')).toBeUndefined();
  expect(llama.canonicalName(apart, 'lm_head.weight')).toBe('lm_head.weight');
  expect(llama.canonicalName(tied, 'model.layers.0.self_attn.rotary_emb.inv_freq')).toBeUndefined();
  const config = gpt2.configure({}, tokens);
  expect(gpt2.canonicalName(config, 'transformer.h.0.attn.masked_bias')).toBeUndefined();
  expect(gpt2.canonicalName(config, 'h.0.attn.c_attn.bias')).toBe('transformer.h.0.attn.c_attn.bias');
});
