/** Whether llama.cpp would give a text other tokens is found out before a file is written. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tokenizerFilesOf } from '../../src/runtime/gguf/gguf-tokenizer.ts';
import { vocabularyMetadata } from '../../src/runtime/gguf/vocabulary.ts';
import { writeGguf } from '../../src/runtime/gguf/write-gguf.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import { random } from '../../src/runtime/random/random.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../../src/runtime/tokenizers/tokenizer-files.ts';
import { trainTokenizer } from '../../src/runtime/tokenizers/train-tokenizer.ts';
import { noLlamaCpp, openLlamaCpp } from '../llama-cpp/llama-cpp.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { policyOf, trainedTokenizer } from './models.ts';
import { trainingTexts } from './texts.ts';

const rows = ({ json, config }: TokenizerFiles) =>
  loadTokenizer(json, 'eos_token' in config ? config : { eos_token: '<|endoftext|>' }).vocabularySize;
const policyWith = (files: TokenizerFiles) =>
  policyOf(
    llama,
    llama.configure({ layers: 1, width: 32, heads: 2 }, { vocabularySize: rows(files), eos: 0, pad: 1 }),
    files,
  );
const vocabularyOf = (files: TokenizerFiles) => vocabularyMetadata(policyWith(files), rows(files));

/** Halves of surrogate pairs become U+FFFD. */
const wellFormed = (text: string) => Buffer.from(text).toString();

/** Pieces of texts in any order, English and Chinese, glued with and without signs. */
function gluedTexts(count: number): string[] {
  const draw = random(5, 'glue');
  const all = trainingTexts.join('');
  const piece = () => {
    const from = draw.integer(all.length);
    return all.slice(from, from + 1 + draw.integer(9));
  };
  const glue = ['', ' ', '，', '。', '"', '  ', '\n'];
  return Array.from({ length: count }, () =>
    wellFormed(Array.from({ length: 8 }, piece).join(glue[draw.integer(glue.length)])),
  );
}

describe('a tokenizer that ftc trains', () => {
  test('is cut as smaug-bpe cuts, without a text that differs', async () => {
    const { entries, notes } = vocabularyOf(await trainedTokenizer(900));
    expect(Object.fromEntries(entries)['tokenizer.ggml.pre']).toEqual({ type: 'string', value: 'smaug-bpe' });
    expect(notes).toEqual([]);
  });

  test.skipIf(noLlamaCpp !== undefined)('gets the same ids for 2,000 mixed texts', async () => {
    const policy = policyWith(await trainedTokenizer(900));
    const path = `${temporaryDirectory()}/model.gguf`;
    await writeGguf(path, policy, { type: 'q8_0' });
    const there = await openLlamaCpp(path);
    const texts = gluedTexts(2000);
    const differing = texts.filter(
      (text) => String(there.tokenize(text)) !== String([...policy.tokenizer.encode(text)]),
    );
    expect(differing).toEqual([]);
    await there.dispose();
  });

  test('where letters carry marks, another is chosen, or what differs is said', async () => {
    const marks = Array.from({ length: 20 }, () => 'cafe\u0301 e\u0301te\u0301 नमस्ते दुनिया ');
    const files = await trainTokenizer([...marks, ...trainingTexts], { vocabularySize: 700 });
    const { entries, notes } = vocabularyOf(files);
    expect(Object.fromEntries(entries)['tokenizer.ggml.pre']).toEqual({
      type: 'string',
      value: 'deepseek-v3',
    });
    expect(notes).toEqual([
      expect.stringMatching(/^llama.cpp gives other tokens .* to ".*caf.*" and \d+ more/),
    ]);
  });
});

const made = JSON.parse(readFileSync(new URL('../reference/gguf/tokenizers.json', import.meta.url), 'utf8'));
const config = { eos_token: '<|endoftext|>' };

test('a tokenizer that cuts as llama.cpp cannot is an error with texts that differ', () => {
  const spaces = { type: 'Split', pattern: { Regex: '.*? |.+' }, behavior: 'Isolated', invert: false };
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const json = {
    ...made['gpt-2'].json,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [spaces, bytes] },
  };
  expect(() => vocabularyOf({ json, config })).toThrow(
    /^llama.cpp would give other tokens than the model's tokenizer to ".+", ".+", ".+" and \d+ more of the texts/,
  );
});

const folder = new URL('../reference/', import.meta.url);
const unpacked = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString());
const chats = unpacked('chats/chats.json.gz');

/** What is published with a template. */
function spoken(name: string, withTemplate = true): TokenizerFiles {
  const { kind, names } = chats[name];
  const template = readFileSync(new URL(`chats/templates/${name}.jinja`, folder), 'utf8');
  return {
    json: unpacked(`tokenizers/${kind}.json.gz`).tokenizer,
    config: withTemplate ? { ...names, chat_template: template } : names,
  };
}

describe.each(['mistral', 'llama2', 'zephyr', 'llama3', 'qwen3', 'smollm2', 'phi3'])('%s', (name) => {
  const files = spoken(name);
  const policy = policyOf(
    llama,
    llama.configure({ layers: 1, width: 32, heads: 2 }, { vocabularySize: rows(files), eos: 2, pad: 0 }),
    files,
  );

  test.skipIf(noLlamaCpp !== undefined)('conversations have the same ids in llama.cpp', async () => {
    const path = `${temporaryDirectory()}/model.gguf`;
    await writeGguf(path, policy, { type: 'q8_0' });
    const there = await openLlamaCpp(path);
    // llama.cpp composes no letters (NFC), which Qwen's tokenizer does; the notes of an export say so.
    const good = chats[name].rows.filter(({ text }: { text?: string }) => text === text?.normalize());
    expect(good.length).toBeGreaterThan(10);
    for (const { text, ids } of good)
      if (text !== undefined) expect([text, ...there.tokenize(text)]).toEqual([text, ...ids]);
    await there.dispose();
  });
});

test('a tokenizer that llama.cpp has only in conversations is an error without a template, and else is told of', () => {
  expect(() => vocabularyOf(spoken('mistral', false))).toThrow(
    /^llama.cpp would give other tokens than the model's tokenizer to " {2}leading/,
  );
  const { entries, notes } = vocabularyOf(spoken('mistral'));
  expect(Object.fromEntries(entries)['tokenizer.ggml.add_space_prefix']).toEqual({
    type: 'bool',
    value: false,
  });
  expect(notes).toEqual([expect.stringMatching(/^llama.cpp gives other tokens .* to "Hello, world!"/)]);
});

test('what differs in conversations too is not said to stand in none', () => {
  const chat_template = `{% for m in messages %}<|im_start|>{{ m['role'] }}
{{ m['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;
  const asked = { eos_token: '<|im_end|>', pad_token: '<|endoftext|>', chat_template };
  // Its normalizer composes letters (NFC), which llama.cpp does not.
  const { notes } = vocabularyOf({ json: made.qwen2.json, config: asked });
  expect(notes).toEqual([expect.stringMatching(/^llama.cpp gives other tokens .*[^n]$/)]);
  expect(notes[0]).not.toContain('conversation');
});

test('Unigram has no place', () => {
  const json = { ...made['gpt-2'].json, model: { type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0]] } };
  const policy = { ...policyWith({ json: made['gpt-2'].json, config }), tokenizerFiles: { json, config } };
  expect(() => vocabularyMetadata(policy, 10)).toThrow(
    'a tokenizer of the kind Unigram cannot be written as GGUF',
  );
});

test('more tokens than rows are an error', () => {
  const files = { json: made['gpt-2'].json, config };
  expect(() => vocabularyMetadata(policyWith(files), 300)).toThrow('and the model has 300 rows');
});

test('what the file holds makes the tokenizer that was tried', async () => {
  const files = await trainedTokenizer(900);
  const { json, config: settings } = tokenizerFilesOf('file', new Map(vocabularyOf(files).entries));
  expect(json.model.vocab).toEqual(files.json.model.vocab);
  expect(json.model.merges).toEqual(files.json.model.merges);
  expect(json.added_tokens).toEqual(files.json.added_tokens);
  expect(settings.chat_template).toBe(files.config.chat_template);
  expect([...loadTokenizer(json, settings).encode('患者<|end|>\n')]).toEqual([
    ...loadTokenizer(files.json, files.config).encode('患者<|end|>\n'),
  ]);
});
