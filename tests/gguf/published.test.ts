/** Checkpoints of tests/reference in llama.cpp: the logits that PyTorch and transformers compute, or a reason why not. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GgufError } from '../../src/runtime/gguf/gguf-error.ts';
import { ggufWeights } from '../../src/runtime/gguf/open-gguf.ts';
import { writeGguf } from '../../src/runtime/gguf/write-gguf.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
import { noLlamaCpp, openLlamaCpp } from '../llama-cpp/llama-cpp.ts';
import { expectClose } from '../reference/close.ts';
import { goldenNames, readGolden } from '../reference/golden.ts';
import { readPublished } from '../reference/published-models.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { lettersTokenizer, logitsAfter, policyOf } from './models.ts';

async function published(name: string) {
  const model = await readPublished(name);
  const policy = policyOf(model.family, model.config, lettersTokenizer(43), model.weights);
  return {
    policy,
    ids: [...model.expected.get('a.input_ids')!.data],
    logits: model.expected.get('a.logits')!,
  };
}

const path = () => join(temporaryDirectory(), 'model.gguf');

async function inLlamaCpp(policy: Policy, ids: readonly number[]) {
  const file = path();
  const { notes } = await writeGguf(file, policy, { type: 'f32' });
  const there = await openLlamaCpp(file);
  const logits = await there.logits(ids);
  const contextTokens = there.model.getTrainContextSize();
  await there.dispose();
  return { notes, logits, contextTokens };
}

describe.skipIf(noLlamaCpp !== undefined)('llama.cpp', () => {
  test.each(goldenNames)('has the logits of PyTorch: golden %s', async (name) => {
    const golden = await readGolden(name);
    const policy = policyOf(golden.family, golden.config, lettersTokenizer(97), golden.weights);
    const expected = golden.expected('a.logits').data as Float32Array;
    const { logits } = await inLlamaCpp(policy, [...golden.expected('a.input_ids').data]);
    // llama.cpp looks gelu up in a table of halves.
    expectClose(logits, expected.slice(-97), { absolute: name === 'gpt2' ? 5e-3 : 1e-4 }, 'logits');
  });

  test.each([
    ['llama-bias', 20],
    ['llama-linear', 20],
    ['llama-llama3', 20],
    ['llama-yarn', 20],
    ['mistral-window', 6],
    ['qwen3', 20],
  ])('has the logits of transformers: %s, %i tokens', async (name, tokens) => {
    const { policy, ids, logits: expected } = await published(name);
    const found = await inLlamaCpp(policy, ids.slice(0, tokens));
    const row = (expected.data as Float32Array).slice((tokens - 1) * 43, tokens * 43);
    expectClose(found.logits, row, { absolute: 1e-4 }, 'logits');
    expect(found.contextTokens).toBe(name === 'mistral-window' ? 6 : 64);
    expect(found.notes.map((note) => note.slice(0, 34))).toEqual(
      name === 'mistral-window' ? ['llama.cpp has no sliding window fo'] : [],
    );
  });

  test('positions that grow with the text: alike up to where they grow', async () => {
    const { policy, ids } = await published('llama-dynamic');
    const found = await inLlamaCpp(policy, ids.slice(0, 15));
    expectClose(found.logits, await logitsAfter(policy, ids.slice(0, 15)), { absolute: 1e-4 }, 'logits');
    expect(found.contextTokens).toBe(15);
    expect(found.notes[0]).toContain('the file’s context is 15 tokens'.replace('’', "'"));
  });
});

test.each([
  ['gpt2-scaled', 'llama.cpp does not compute activation_function="gelu", only gelu_new'],
  ['mistral-null', 'llama.cpp does not compute hidden_act="gelu", only silu'],
  ['qwen2-window', "llama.cpp's qwen2 has heads of hidden_size / num_attention_heads numbers, not of 8"],
  ['qwen3-window', "llama.cpp's qwen3 does not compute rope_scaling of type yarn as this config.json has it"],
])('says what llama.cpp has not: %s', async (name, message) => {
  const { policy } = await published(name);
  const writing = writeGguf(path(), policy, { type: 'f32' });
  await expect(writing).rejects.toThrow(GgufError);
  await expect(writing).rejects.toThrow(message);
});

test.each(['llama-bias', 'qwen3', 'golden gpt2', 'golden llama'])(
  'weights come back bit by bit: %s',
  async (name) => {
    const golden = name.startsWith('golden ') ? await readGolden(name.slice(7) as 'gpt2') : undefined;
    const policy =
      golden === undefined
        ? (await published(name)).policy
        : policyOf(golden.family, golden.config, lettersTokenizer(97), golden.weights);
    const file = path();
    await writeGguf(file, policy, { type: 'f32' });
    const back = ggufWeights(file, policy);
    expect([...back.keys()].sort()).toEqual(
      policy.family
        .parameters(policy.config)
        .map(({ name: n }) => n)
        .sort(),
    );
    for (const [weight, tensor] of back) {
      expect(tensor.shape, weight).toEqual(policy.weights.get(weight)!.shape);
      expect(tensor.data, weight).toEqual(policy.weights.get(weight)!.data);
    }
  },
);
