import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ggufWeights } from '../../src/runtime/gguf/open-gguf.ts';
import { readGguf } from '../../src/runtime/gguf/read-gguf.ts';
import { writeGguf } from '../../src/runtime/gguf/write-gguf.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import { mistral } from '../../src/runtime/models/mistral.ts';
import type { ModelFamily } from '../../src/runtime/models/model.ts';
import { qwen2 } from '../../src/runtime/models/qwen2.ts';
import { qwen3 } from '../../src/runtime/models/qwen3.ts';
import { noLlamaCpp, openLlamaCpp } from '../llama-cpp/llama-cpp.ts';
import { expectClose } from '../reference/close.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { greedy, logitsAfter, policyOf, trainedTokenizer } from './models.ts';
import { prompts } from './texts.ts';

if (noLlamaCpp !== undefined) console.warn(`not compared with llama.cpp: ${noLlamaCpp}`);

const files = await trainedTokenizer();
const size = Object.keys(files.json.model.vocab as object).length;
const sizes = { layers: 2, width: 64, heads: 4, kv_heads: 2, mlp: 96, context: 96 };

function configured(family: ModelFamily, options: object = {}, more: object = {}) {
  const config = family.configure({ ...sizes, ...options }, { vocabularySize: size, eos: 0, pad: 1 });
  return policyOf(family, { ...config, ...more }, files);
}

const written = async (policy: ReturnType<typeof configured>) => {
  const path = join(temporaryDirectory(), 'model.gguf');
  const result = await writeGguf(path, policy, { type: 'f32', name: 'tiny' });
  return { path, ...result };
};

describe.skipIf(noLlamaCpp !== undefined)('llama.cpp', () => {
  test('gives the ids of the tokenizer that ftc trains', async () => {
    const policy = configured(llama);
    const { path } = await written(policy);
    const there = await openLlamaCpp(path);
    expect(prompts.map((prompt) => there.tokenize(prompt))).toEqual(
      prompts.map((prompt) => [...policy.tokenizer.encode(prompt)]),
    );
    await there.dispose();
  });

  const yarn = { rope_type: 'yarn', rope_theta: 1000, factor: 4, original_max_position_embeddings: 24 };
  test.each([
    ['llama', llama, {}, {}],
    ['llama, untied', llama, { tied: false }, {}],
    ['llama with wide heads', llama, {}, { head_dim: 32 }],
    ['llama with yarn', llama, {}, { rope_parameters: { ...yarn, attention_factor: 1.3 } }],
    [
      'llama with a yarn of its own',
      llama,
      {},
      { rope_parameters: { ...yarn, beta_fast: 0.5, beta_slow: 0.1, truncate: false } },
    ],
    ['mistral', mistral, {}, {}],
    ['qwen2', qwen2, {}, {}],
    ['qwen2 with yarn', qwen2, {}, { rope_parameters: { ...yarn, mscale: 0.7, mscale_all_dim: 0.3 } }],
    ['qwen2 with slow positions', qwen2, {}, { rope_scaling: { type: 'linear', factor: 3 } }],
    ['qwen3', qwen3, {}, {}],
    ['qwen3 with yarn', qwen3, { tied: false }, { rope_parameters: yarn }],
    ['gpt2', gpt2, { kv_heads: undefined }, {}],
    ['gpt2, untied', gpt2, { kv_heads: undefined, tied: false }, {}],
  ] as const)('continues as ftc does: %s', async (_, family, options, more) => {
    const policy = configured(family, options, more);
    const { path } = await written(policy);
    const there = await openLlamaCpp(path);
    const prompt = policy.tokenizer.encode('The patient takes 患者每天服用阿司匹林。 What is the answer?');
    expect(await there.greedy([...prompt], 32)).toEqual(await greedy(policy, prompt, 32));
    const logits = await logitsAfter(policy, [...prompt]);
    const tolerance = { absolute: 1e-5 * Math.max(...logits.map(Math.abs)) * (family === gpt2 ? 100 : 1) };
    expectClose(await there.logits([...prompt]), logits, tolerance, 'logits');
    await there.dispose();
  });

  test.each([
    ['f16', 0.003],
    ['q8_0', 0.02],
    ['q4_0', 0.3],
  ] as const)('computes with %s what ftc computes with the same numbers', async (type, apart) => {
    const policy = configured(llama, { tied: false, mlp: 128 });
    const path = join(temporaryDirectory(), 'model.gguf');
    expect((await writeGguf(path, policy, { type })).notes).toEqual([]);
    const there = await openLlamaCpp(path);
    const prompt = [...policy.tokenizer.encode('The patient takes 患者')];
    const found = await there.logits(prompt);
    await there.dispose();
    // llama.cpp rounds the rows that it multiplies with, too.
    const same = await logitsAfter({ ...policy, weights: ggufWeights(path, policy) }, prompt);
    expect(distance(found, same)).toBeLessThan(0.02);
    expect(distance(found, await logitsAfter(policy, prompt))).toBeLessThan(apart);
  });
});

/** Length of the difference, as a part of the length. */
function distance(a: Float32Array, b: Float32Array): number {
  const length = (numbers: readonly number[]) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
  return length([...a].map((x, i) => x - b[i]!)) / length([...b]);
}

test('what is written in which type, and what is not', async () => {
  const policy = configured(llama, { width: 48, heads: 2, kv_heads: 2, mlp: 64, layers: 1, tied: false });
  const path = join(temporaryDirectory(), 'model.gguf');
  const { notes } = await writeGguf(path, policy, { type: 'q4_0', metadata: { 'general.license': 'mit' } });
  const { metadata, tensors } = readGguf(path);
  expect(notes).toEqual([
    '8 tensors are f16: their rows of 48 numbers are not whole blocks of 32, which q4_0 needs',
  ]);
  expect(
    [...tensors.values()].map(({ name, shape, type }) => [name, ...shape, type!.name].join(' ')),
  ).toEqual([
    `token_embd.weight ${size} 48 f16`,
    'blk.0.attn_norm.weight 48 f32',
    'blk.0.attn_q.weight 48 48 f16',
    'blk.0.attn_k.weight 48 48 f16',
    'blk.0.attn_v.weight 48 48 f16',
    'blk.0.attn_output.weight 48 48 f16',
    'blk.0.ffn_norm.weight 48 f32',
    'blk.0.ffn_gate.weight 64 48 f16',
    'blk.0.ffn_up.weight 64 48 f16',
    'blk.0.ffn_down.weight 48 64 q4_0',
    'output_norm.weight 48 f32',
    `output.weight ${size} 48 f16`,
  ]);
  const values = Object.fromEntries([...metadata].map(([key, { value }]) => [key, value]));
  expect(values).toMatchObject({
    'general.architecture': 'llama',
    'general.name': 'llama',
    'general.file_type': 2,
    'general.license': 'mit',
    'llama.context_length': 96,
    'llama.embedding_length': 48,
    'llama.block_count': 1,
    'llama.feed_forward_length': 64,
    'llama.attention.head_count': 2,
    'llama.attention.head_count_kv': 2,
    'llama.attention.key_length': 24,
    'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
    'llama.rope.freq_base': 10_000,
    'llama.vocab_size': size,
    'tokenizer.ggml.eos_token_id': 0,
    'tokenizer.ggml.padding_token_id': 1,
    'tokenizer.ggml.eot_token_id': policy.tokenizer.idOf('<|end|>'),
    'tokenizer.chat_template': policy.template,
  });
});

test('a tensor that llama.cpp does not read is an error', async () => {
  const message = 'the tensor "model.layers.0.self_attn.o_proj.bias" has no place in llama.cpp\'s qwen3';
  await expect(written(configured(qwen3, {}, { attention_bias: true }))).rejects.toThrow(message);
});

test('rotary positions that llama.cpp has for llama alone are an error elsewhere', async () => {
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const policy = configured(qwen2, {}, { rope_scaling: { ...llama3, original_max_position_embeddings: 32 } });
  await expect(written(policy)).rejects.toThrow(
    "llama.cpp's qwen2 does not compute rope_scaling of type llama3",
  );
});

test('the matrix that makes the logits is q8_0 in a file of q4_0', async () => {
  const types = async (tied: boolean) => {
    const path = join(temporaryDirectory(), 'model.gguf');
    await writeGguf(path, configured(llama, { tied, layers: 1 }), { type: 'q4_0' });
    const { tensors } = readGguf(path);
    return ['token_embd.weight', 'output.weight', 'blk.0.attn_q.weight'].map(
      (name) => tensors.get(name)?.type?.name,
    );
  };
  expect(await types(true)).toEqual(['q8_0', undefined, 'q4_0']);
  expect(await types(false)).toEqual(['q4_0', 'q8_0', 'q4_0']);
});

test('a number that f16 does not hold is an error that names its tensor, and no file is left', async () => {
  const policy = configured(llama, { layers: 1 });
  const name = 'model.layers.0.mlp.up_proj.weight';
  for (const [value, message] of [
    [70_000, 'holds 70000, which f16 does not hold'],
    [Number.NaN, 'holds NaN'],
  ] as const) {
    const tensor = policy.weights.get(name)!;
    const data = (tensor.data as Float32Array).slice();
    data[7] = value;
    const weights = new Map([...policy.weights, [name, { ...tensor, data }]]);
    const directory = temporaryDirectory();
    const writing = writeGguf(join(directory, 'model.gguf'), { ...policy, weights }, { type: 'f16' });
    await expect(writing).rejects.toThrow(`the tensor "${name}" ${message}`);
    expect(readdirSync(directory)).toEqual([]);
  }
});
