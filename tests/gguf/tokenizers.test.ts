import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ggufVocabulary } from '../../src/runtime/gguf/open-gguf.ts';
import { readGguf } from '../../src/runtime/gguf/read-gguf.ts';
import { writeGguf } from '../../src/runtime/gguf/write-gguf.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { TokenizerFiles } from '../../src/runtime/tokenizers/tokenizer-files.ts';
import { noLlamaCpp, openLlamaCpp } from '../llama-cpp/llama-cpp.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { policyOf } from './models.ts';

interface Made {
  readonly json: TokenizerFiles['json'];
  readonly ids: readonly (readonly [string, readonly number[]])[];
}

const made: Readonly<Record<string, Made>> = JSON.parse(
  readFileSync(new URL('../reference/gguf/tokenizers.json', import.meta.url), 'utf8'),
);

/** A model with this tokenizer, and four rows that no token fills. */
async function written(name: string) {
  const { json } = made[name]!;
  const pieces = name === 'sentencepiece';
  // What stands around a text is said by the post-processor alone.
  const config = pieces
    ? { bos_token: '<s>', eos_token: '</s>', add_bos_token: false, add_eos_token: true }
    : {
        eos_token: '<|im_end|>',
        pad_token: '<|endoftext|>',
        add_bos_token: true,
        chat_template: '{{ messages }}<|im_end|>',
      };
  const count =
    Math.max(...Object.values(json.model.vocab as Record<string, number>), json.added_tokens.at(-1)!.id) + 5;
  const sizes = { layers: 1, width: 32, heads: 2, mlp: 32 };
  const model = llama.configure(sizes, { vocabularySize: count, eos: 0, pad: 0 });
  const path = join(temporaryDirectory(), `${name}.gguf`);
  const { notes } = await writeGguf(path, policyOf(llama, model, { json, config }), { type: 'f32' });
  return { path, notes, count };
}

const values = (path: string) =>
  Object.fromEntries(
    [...readGguf(path).metadata].map(([key, { value }]) => [key.replace('tokenizer.', ''), value]),
  );

describe.each(Object.keys(made))('a tokenizer as %s', (name) => {
  test('is read back from the file with the ids of the library tokenizers', async () => {
    const { path } = await written(name);
    const tokenizer = ggufVocabulary(path);
    expect(made[name]!.ids.map(([text]) => [text, [...tokenizer.encode(text)]])).toEqual(made[name]!.ids);
  });

  test.skipIf(noLlamaCpp !== undefined)('has the same ids in llama.cpp', async () => {
    const { path } = await written(name);
    const there = await openLlamaCpp(path);
    expect(made[name]!.ids.map(([text]) => [text, there.tokenize(text)])).toEqual(made[name]!.ids);
    await there.dispose();
  });
});

test('byte pairs: pre-tokenizer, merges, types and special tokens', async () => {
  const { path, count } = await written('qwen2');
  const found = values(path);
  const { json } = made.qwen2!;
  expect(found['ggml.model']).toBe('gpt2');
  expect(found['ggml.pre']).toBe('qwen2');
  expect((found['ggml.merges'] as string[]).map((merge) => merge.split(' '))).toEqual(json.model.merges);
  const tokens = found['ggml.tokens'] as string[];
  expect(tokens).toHaveLength(count);
  expect(tokens.slice(0, 3)).toEqual(['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
  expect(tokens.slice(-6)).toEqual([
    ...tokens.slice(-6, -4),
    ...[4, 3, 2, 1].map((left) => `[PAD${count - left}]`),
  ]);
  const types = found['ggml.token_type'] as number[];
  expect(types.slice(0, 4)).toEqual([3, 3, 3, 1]);
  expect(types.slice(-6)).toEqual([1, 4, 5, 5, 5, 5]);
  expect(found).toMatchObject({
    'ggml.eos_token_id': 2,
    'ggml.padding_token_id': 0,
    'ggml.add_bos_token': false,
    chat_template: '{{ messages }}<|im_end|>',
  });
  expect(found).not.toHaveProperty(['ggml.bos_token_id']);
});

test('sentence pieces: scores, bytes and the token before a text', async () => {
  const found = values((await written('sentencepiece')).path);
  expect(found).toMatchObject({
    'ggml.model': 'llama',
    'ggml.bos_token_id': 1,
    'ggml.eos_token_id': 2,
    'ggml.add_bos_token': true,
    'ggml.add_eos_token': false,
    'ggml.add_space_prefix': true,
  });
  const types = found['ggml.token_type'] as number[];
  expect(types.slice(0, 4)).toEqual([2, 3, 3, 6]);
  expect(types.filter((type) => type === 6)).toHaveLength(256);
  const tokens = found['ggml.tokens'] as string[];
  const scores = found['ggml.scores'] as number[];
  const first = (made.sentencepiece!.json.model.merges as [string, string][])[0]!.join('');
  expect(scores[tokens.indexOf(first)]).toBe(-0);
});

test.skipIf(noLlamaCpp !== undefined)(
  'llama.cpp takes bos, eos and where a text begins from the file',
  async () => {
    const { path } = await written('sentencepiece');
    const { model, dispose } = await openLlamaCpp(path);
    expect([model.tokenBos(), model.tokenEos(), model.shouldPrependBosToken()]).toEqual([1, 2, true]);
    expect([1, 2].map((id) => model.isEogToken(id))).toEqual([false, true]);
    await dispose();
  },
);
