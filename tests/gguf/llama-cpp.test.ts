import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeGguf } from '../../src/runtime/gguf/write-gguf.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import { mistral } from '../../src/runtime/models/mistral.ts';
import type { ModelFamily } from '../../src/runtime/models/model.ts';
import { qwen2 } from '../../src/runtime/models/qwen2.ts';
import { qwen3 } from '../../src/runtime/models/qwen3.ts';
import { noLlamaCpp, openLlamaCpp } from '../llama-cpp/llama-cpp.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { greedy, policyOf, trainedTokenizer } from './models.ts';
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

  test.each([
    ['llama', llama, {}, {}],
    ['llama, untied', llama, { tied: false }, {}],
    ['mistral', mistral, {}, {}],
    ['qwen2', qwen2, {}, {}],
    ['qwen3', qwen3, {}, {}],
    ['gpt2', gpt2, { kv_heads: undefined }, {}],
  ] as const)('continues as ftc does: %s', async (_, family, options, more) => {
    const policy = configured(family, options, more);
    const { path } = await written(policy);
    const there = await openLlamaCpp(path);
    const prompt = policy.tokenizer.encode('The patient takes 患者');
    expect(await there.greedy([...prompt], 32)).toEqual(await greedy(policy, prompt, 32));
    await there.dispose();
  });
});
