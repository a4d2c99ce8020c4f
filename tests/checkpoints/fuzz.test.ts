/**
 * Thirteen thousand mutations of valid models, adapters, tokenizers and chat templates: each is opened and read, or refused in
 * words, and soon.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { ModelError } from '../../src/runtime/models/model-error.ts';
import { QuantizationError } from '../../src/runtime/quantization/quantization-error.ts';
import { random } from '../../src/runtime/random/random.ts';
import { openTokenizer } from '../../src/runtime/run/open-tokenizer.ts';
import { openAdapter, readModel, readPolicy } from '../../src/runtime/run/policies.ts';
import { tokenizeChat, tokenizeText } from '../../src/runtime/run/tokenize.ts';
import { StageError } from '../../src/runtime/stages/stage.ts';
import { encodeChat, TemplateError } from '../../src/runtime/tokenizers/chat-template.ts';
import { TokenizerError } from '../../src/runtime/tokenizers/tokenizer-error.ts';
import { adapterDirectory, goldenDirectory, modelDirectory } from '../reference/checkpoints/read.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

type Stream = ReturnType<typeof random>;

/** Words that mean something in these files. */
const WORDS = [
  '"', '{', '}', '[', ']', ',', ':', '0', '-1', '1e999', '9007199254740993', 'null', 'true', '{}', '[]', '""', '\\u0000',
  '"F64"', '"BF16"', '"I8"', '"dtype"', '"__metadata__"', '"__proto__"', '"constructor"', '"../x.safetensors"', '"(a+)+$"',
]; // biome-ignore format: a list

/** One of: a bit turned, a number changed, a piece left out, doubled or moved, the end cut off, a word put in. */
function mutate(bytes: Buffer, stream: Stream): Buffer {
  const at = stream.integer(bytes.length + 1);
  const length = 1 + stream.integer(stream.integer(2) === 0 ? 4 : 64);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const piece = tail.subarray(0, length);
  switch (stream.integer(7)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at]! ^= 1 << stream.integer(8);
      return copy;
    }
    case 1:
      return Buffer.from(numberChanged(bytes, stream), 'latin1');
    case 2:
      return Buffer.concat([head, tail.subarray(length)]);
    case 3:
      return Buffer.concat([head, piece, tail]);
    case 4:
      return head;
    case 5: {
      const other = stream.integer(bytes.length + 1);
      return Buffer.concat([head, bytes.subarray(other, other + length), tail.subarray(length)]);
    }
    default:
      return Buffer.concat([
        head,
        Buffer.from(WORDS[stream.integer(WORDS.length)]!),
        tail.subarray(stream.integer(4)),
      ]);
  }
}

function numberChanged(bytes: Buffer, stream: Stream): string {
  const text = bytes.toString('latin1');
  const numbers = [...text.slice(0, 4096).matchAll(/\d+/g)];
  const found = numbers[stream.integer(Math.max(1, numbers.length))];
  if (found === undefined) return text;
  const values = [
    '0',
    '1',
    String(Number(found[0]) + 1),
    `-${found[0]}`,
    `${found[0]}000000`,
    '4294967296',
    '1.5',
  ];
  const value = values[stream.integer(values.length)]!;
  return text.slice(0, found.index) + value + text.slice(found.index + found[0].length);
}

interface Subject {
  readonly mutations: number;
  readonly source: string;
  /** Files that are mutated, one at a time. */
  readonly files: readonly string[];
  open(directory: string): Promise<unknown>;
  /** Files in place of those of `source`. */
  readonly instead?: Readonly<Record<string, string>>;
  /** At least so much of the mutations is refused; a quarter, if not given. */
  readonly refused?: number;
}

const reference = (path: string) => fileURLToPath(new URL(`../reference/${path}`, import.meta.url));
const chat = [
  { role: 'system', content: 'be brief' },
  { role: 'user', content: 'What is 3 × 14?' },
  { role: 'assistant', content: '<think>\n42\n</think>\n\nIt’s 42.' },
];

/** Texts and conversations there and back. */
async function speak(directory: string): Promise<void> {
  const opened = await openTokenizer(directory, directory);
  const { ids } = tokenizeText(opened, 'What  is 3 × 14,\n谁写的? aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!');
  opened.tokenizer.decode(ids);
  tokenizeChat(opened, chat, true);
  encodeChat(opened.tokenizer, opened.template, chat);
}

async function readAll(directory: string): Promise<void> {
  const { weights } = await readModel(directory);
  for (const name of weights.keys()) weights.get(name);
}

const subjects: Record<string, Subject> = {
  weights: {
    mutations: 3000,
    source: modelDirectory('qwen2-f16'),
    files: ['model.safetensors'],
    open: readAll,
  },
  shards: {
    mutations: 2500,
    source: modelDirectory('llama-bf16-shards'),
    files: ['model.safetensors.index.json', 'model-00002-of-00003.safetensors'],
    open: readAll,
  },
  config: { mutations: 2000, source: modelDirectory('llama-reward'), files: ['config.json'], open: readAll },
  adapter: {
    mutations: 2500,
    source: adapterDirectory('llama-layers'),
    files: ['adapter_config.json', 'adapter_model.safetensors'],
    async open(directory) {
      const { weights } = await openAdapter(directory, await base);
      for (const name of weights.keys()) weights.get(name);
    },
  },
  tokenizer: {
    mutations: 2000,
    source: reference('scores/policy'),
    files: ['tokenizer.json', 'tokenizer_config.json'],
    open: speak,
  },
  template: {
    mutations: 1000,
    source: reference('scores/policy'),
    files: ['chat_template.jinja'],
    instead: { 'chat_template.jinja': readFileSync(reference('chats/templates/qwen3.jinja'), 'utf8') },
    refused: 0.1,
    open: speak,
  },
};
const base = readPolicy(goldenDirectory('llama'));

const IN_WORDS = [
  CheckpointError,
  ModelError,
  QuantizationError,
  TokenizerError,
  TemplateError,
  // A template that was emptied.
  StageError,
];

test.each(Object.entries(subjects))('%s', async (name, subject) => {
  const { mutations, source, files, open, instead = {}, refused: least = 0.25 } = subject;
  const stream = random(4, 'fuzz', name);
  const directory = join(temporaryDirectory(), 'model');
  mkdirSync(directory);
  const original = new Map(readdirSync(source).map((file) => [file, readFileSync(join(source, file))]));
  for (const [file, text] of Object.entries(instead)) original.set(file, Buffer.from(text));
  for (const [file, bytes] of original) writeFileSync(join(directory, file), bytes);
  await open(directory);
  let refused = 0;
  let slowestMs = 0;
  for (let i = 0; i < mutations; i++) {
    const file = files[stream.integer(files.length)]!;
    let bytes = mutate(original.get(file)!, stream);
    while (stream.integer(3) === 0) bytes = mutate(bytes, stream);
    writeFileSync(join(directory, file), bytes);
    const started = performance.now();
    const error = await open(directory).catch((e: unknown) => e);
    slowestMs = Math.max(slowestMs, performance.now() - started);
    if (error !== undefined) refused++;
    if (error !== undefined && !IN_WORDS.some((kind) => error instanceof kind))
      throw new Error(`mutation ${i} of ${file}`, { cause: error });
    writeFileSync(join(directory, file), original.get(file)!);
  }
  expect(refused).toBeGreaterThan(mutations * least);
  expect(slowestMs).toBeLessThan(5000);
  await open(directory);
});
