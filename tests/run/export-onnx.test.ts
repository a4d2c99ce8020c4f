/** ONNX for generation: any batch, any lengths, with nothing but onnxruntime. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { models } from '../../src/runtime/catalog.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { Decoder } from '../../src/runtime/generation/decoder.ts';
import { writeOnnx } from '../../src/runtime/run/export-onnx.ts';
import { missingTokenizer } from '../../src/runtime/run/missing-tokenizer.ts';
import { readPolicy } from '../../src/runtime/run/policies.ts';
import { initialize } from '../../src/runtime/stages/parts/training.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { workshops } from './workshop.ts';

const workshop = workshops();
const made = {
  llama: 'llama(layers=2 width=32 heads=4 kv_heads=2 context=48)',
  qwen2: 'qwen2(layers=2 width=32 heads=4 kv_heads=1 context=48 tied=false)',
  gpt2: 'gpt2(layers=2 width=32 heads=4 context=48)',
};

/** A tiny model of a pipeline, with weights far enough from each other that its answers are not all alike. */
async function exported(model: string): Promise<{ directory: string; policy: Policy }> {
  const shop = workshop(
    `pretrain(model=${model} vocabulary=300 max_steps=3 lr=0.02)
    → whole: export(to="out/whole") → onnx: export(to="out/onnx" format=onnx)`,
  );
  const said = await shop.run();
  expect(said.of('diagnostic')).toEqual([]);
  expect(said.finished('onnx').metrics.parity_difference).toBeLessThan(2e-5);
  const policy = await readPolicy(join(shop.directory, 'out/whole'));
  return { directory: join(shop.directory, 'out/onnx'), policy };
}

interface Shape {
  readonly blocks: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
}

/** Greedy decoding as any program would write it: rows padded on the left, the past handed back at each step. */
async function greedy(
  session: InferenceSession,
  { blocks, keyValueHeads, headSize, vocabularySize: V }: Shape,
  prompts: readonly Int32Array[],
  count: number,
): Promise<number[][]> {
  const rows = prompts.length;
  const length = Math.max(...prompts.map((prompt) => prompt.length));
  const padding = prompts.map((prompt) => length - prompt.length);
  const long = (shape: number[], at: (row: number, column: number) => number) =>
    new Tensor(
      'int64',
      BigInt64Array.from({ length: shape[0]! * shape[1]! }, (_, i) =>
        BigInt(at(Math.floor(i / shape[1]!), i % shape[1]!)),
      ),
      shape,
    );
  let past: Record<string, Tensor> = Object.fromEntries(
    Array.from({ length: blocks }, (_, i) =>
      ['key', 'value'].map((part) => [
        `past_key_values.${i}.${part}`,
        new Tensor('float32', new Float32Array(), [rows, keyValueHeads, 0, headSize]),
      ]),
    ).flat(),
  );
  const answers = prompts.map((): number[] => []);
  for (let step = 0; step < count; step++) {
    const first = step === 0;
    const total = length + step;
    const width = first ? length : 1;
    const column = (t: number) => total - width + t;
    const outputs = await session.run({
      input_ids: long([rows, width], (row, t) =>
        first ? (prompts[row]![t - padding[row]!] ?? 0) : answers[row]!.at(-1)!,
      ),
      attention_mask: long([rows, total], (row, t) => (t < padding[row]! ? 0 : 1)),
      position_ids: long([rows, width], (row, t) => Math.max(0, column(t) - padding[row]!)),
      ...past,
    });
    const logits = outputs.logits!;
    expect(logits.dims).toEqual([rows, width, V]);
    const data = logits.data as Float32Array;
    answers.forEach((answer, row) => {
      const last = data.subarray((row * width + width - 1) * V, (row * width + width) * V);
      answer.push(last.indexOf(last.reduce((a, b) => Math.max(a, b))));
    });
    past = Object.fromEntries(
      Object.entries(outputs)
        .filter(([name]) => name.startsWith('present.'))
        .map(([name, value]) => [name.replace('present', 'past_key_values'), value as Tensor]),
    );
    expect(past['past_key_values.0.key']!.dims).toEqual([rows, keyValueHeads, total, headSize]);
  }
  return answers;
}

/** What our decoder gives, on the plain executable. */
async function ours(policy: Policy, prompts: readonly Int32Array[], count: number): Promise<number[][]> {
  const { family, config, weights } = policy;
  const load = reference.load;
  const decoder = new Decoder({ family, config, load, pad: 0 });
  const rows = await decoder.generate(prompts, new Map(weights), { maxNewTokens: count, stop: [] });
  return rows.map((row) => [...row]);
}

test.each(Object.entries(made))('%s: greedy answers of onnxruntime alone are ours', async (_, model) => {
  const { directory, policy } = await exported(model);
  const session = await InferenceSession.create(join(directory, 'model.onnx'));
  const { blocks } = policy.family.shape(policy.config);
  expect([...session.inputNames].sort()).toEqual(
    [
      'attention_mask',
      'input_ids',
      'position_ids',
      ...Array.from({ length: blocks }, (_, i) => [
        `past_key_values.${i}.key`,
        `past_key_values.${i}.value`,
      ]).flat(),
    ].sort(),
  );
  const shape = policy.family.shape(policy.config);
  const prompts = ['What does the hen eat?', 'Where'].map((text) => policy.tokenizer.encode(text));
  expect(prompts[0]!.length).toBeGreaterThan(prompts[1]!.length);
  for (const batch of [[prompts[0]!], [prompts[1]!], prompts])
    expect(await greedy(session, shape, batch, 12)).toEqual(await ours(policy, batch, 12));
  await session.release();
});

/** A model at random, without a tokenizer. */
function random(config: Policy['config']): Policy {
  const family = Object.values(models).find(({ modelType }) => modelType === config.model_type)!;
  const specs = family.parameters(config).map((spec) => ({
    ...spec,
    initializer:
      spec.initializer.kind === 'ones' ? spec.initializer : ({ kind: 'normal', std: 0.3 } as const),
  }));
  const weights = new Map(specs.map((spec) => [spec.name, initialize(spec, 7)]));
  return { family, config, weights, ...missingTokenizer('random'), template: '', stop: [] };
}

const sizes = {
  vocab_size: 61,
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

test.each([
  ['mistral', { sliding_window: 5 }],
  ['qwen3', { head_dim: 8 }],
])('%s, weights in a file of their own', async (name, extra) => {
  const directory = temporaryDirectory();
  const policy = random({ model_type: name, ...sizes, ...extra });
  const { files } = await writeOnnx(directory, policy, 1000);
  expect(files).toContain('model.onnx_data');
  const weights = policy.family.parameters(policy.config);
  const bytes = weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  expect(statSync(join(directory, 'model.onnx_data')).size).toBeGreaterThanOrEqual(bytes);
  const session = await InferenceSession.create(join(directory, 'model.onnx'));
  const prompts = [Int32Array.of(3, 17, 44, 9, 28, 60, 5, 31), Int32Array.of(12, 50, 8)];
  const shape = policy.family.shape(policy.config);
  const answers = await greedy(session, shape, prompts, 16);
  expect(answers).toEqual(await ours(policy, prompts, 16));
  for (const answer of answers) expect(new Set(answer).size).toBeGreaterThan(4);
  await session.release();
});
