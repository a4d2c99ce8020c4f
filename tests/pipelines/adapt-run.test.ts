/** adapt.ftp as its header says: from a checkpoint that ftc exported to a file for llama.cpp. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readGguf } from '../../src/runtime/gguf/read-gguf.ts';
import { ftc } from '../cli/ftc.ts';
import { copyOf, type Recorded } from './run-pipeline.ts';

const start = copyOf('adapt.ftp', 'data');
const smoke = (pipeline: string) => start(['-p', pipeline, '--profile', 'smoke']);
let checkpoint: Recorded;
let adapted: Recorded;
let folder: string;
beforeAll(async () => {
  checkpoint = await smoke('checkpoint');
  adapted = await smoke('adapt');
  folder = dirname(adapted.store);
}, 300_000);

const stages = ['base', 'sft', 'quick', 'gate', 'rm', 'ppo', 'after', 'export'];
const computed = ({ events }: Recorded) =>
  events.flatMap((e) => (e.type === 'stage_started' && e.action !== 'cached' ? [e.stage] : []));

test('every stage runs, and what each export wrote answers as the model in the run', () => {
  expect([checkpoint.code, adapted.code]).toEqual([0, 0]);
  expect(computed(adapted)).toEqual(stages);
  for (const run of [checkpoint, adapted]) {
    const { parity_tokens, parity_difference, parity_tolerance } = run.metrics('export');
    expect(parity_tokens).toBeGreaterThan(64);
    expect(parity_tolerance).toBe(1e-4);
    expect(parity_difference).toBeLessThan(1e-4);
  }
});

test('sft begins where the checkpoint stands, and moves', () => {
  const { eval_loss, initial_eval_loss } = adapted.metrics('sft');
  expect(eval_loss).toBeLessThan(initial_eval_loss! - 0.05);
});

test('the file for llama.cpp has the vocabulary, the chat template and the end tokens of the checkpoint', () => {
  expect(readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.gguf'))).toEqual(['adapt.gguf']);
  const { metadata } = readGguf(join(folder, 'out/adapt.gguf'));
  const text = (name: string) => readFileSync(join(folder, 'out/checkpoint', name), 'utf8');
  expect(metadata.get('tokenizer.chat_template')?.value).toBe(text('chat_template.jinja'));
  const { vocab_size: size } = JSON.parse(text('config.json'));
  expect(metadata.get('tokenizer.ggml.tokens')?.value).toHaveLength(size);
  const names = JSON.parse(text('tokenizer_config.json'));
  const { model } = JSON.parse(text('tokenizer.json'));
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[];
  const end = Number(metadata.get('tokenizer.ggml.eos_token_id')?.value);
  expect(['<|end|>', names.eos_token]).toContain(tokens[end]);
  expect(metadata.get('tokenizer.ggml.merges')?.value).toHaveLength(model.merges.length);
});

test('its tokens for a conversation are those of the checkpoint, and a second run computes nothing', async () => {
  const line =
    '{"messages":[{"role":"user","content":"What does the crow eat?"}],"add_generation_prompt":true}';
  const tokens = async (model: string) =>
    (await ftc(['tokenize', model, '--json'], { cwd: folder, input: line })).stdout;
  expect(await tokens('latest')).toBe(await tokens('out/checkpoint'));
  expect(JSON.parse(await tokens('latest')).text).toMatch(/What does the crow eat\?.*assistant/s);
  expect(computed(await smoke('adapt'))).toEqual([]);
});
