/** Model directories as they are published: opened, computed with, or refused in words. */
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { readSafetensors, writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { storedNumbers } from '../../src/runtime/programs/stored-numbers.ts';
import { lacksTokenizer } from '../../src/runtime/run/missing-tokenizer.ts';
import { readPolicy, readReward } from '../../src/runtime/run/policies.ts';
import { expectedRows, goldenDirectory, modelDirectory } from '../reference/checkpoints/read.ts';
import { expectClose } from '../reference/close.ts';
import { goldenNames, readGolden } from '../reference/golden.ts';
import { logitsOf, rewardOf } from '../stages/by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const LOGITS = { absolute: 2e-5, relative: 1e-5 };

/** A copy that may be damaged. */
function copyOf(directory: string): string {
  const copy = join(temporaryDirectory(), 'model');
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** The golden llama with other tensors. */
async function changed(change: (tensors: Map<string, Tensor>) => void): Promise<string> {
  const copy = copyOf(goldenDirectory('llama'));
  const path = join(copy, 'model.safetensors');
  const tensors = await readSafetensors(path);
  change(tensors);
  await writeSafetensors(path, tensors);
  return copy;
}

const refusal = async (directory: string): Promise<CheckpointError> => {
  const error = await readPolicy(directory).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CheckpointError);
  return error as CheckpointError;
};

test.each(['llama-bf16-shards', 'qwen2-f16'])('%s computes what transformers computes', async (name) => {
  const policy = await readPolicy(modelDirectory(name));
  for (const { ids, logits } of await expectedRows(modelDirectory(name)))
    expectClose(logitsOf(policy, ids), logits!, LOGITS, 'logits');
});

test('weights are left in their files, to be mapped as they lie', async () => {
  const { weights } = await readPolicy(modelDirectory('llama-bf16-shards'));
  const place = storedNumbers(weights.get('lm_head.weight')!)!;
  expect([place.format, place.offset % 8]).toEqual(['bf16', 0]);
  expect(place.file).toMatch(/model-0000\d-of-00003.safetensors$/);
});

test.each(['llama-reward', 'gpt2-reward'])('%s gives the rewards of transformers', async (name) => {
  const reward = await readReward(modelDirectory(name));
  for (const { ids, reward: expected } of await expectedRows(modelDirectory(name)))
    expect(rewardOf(reward, reward.score, ids)).toBeCloseTo(expected!, 5);
});

test.each(goldenNames)(
  'the golden %s opens with the weights of its file, and takes ids only',
  async (name) => {
    const policy = await readPolicy(goldenDirectory(name));
    const golden = await readGolden(name);
    expect(new Map(policy.weights)).toEqual(golden.weights);
    expect(policy.stop).toEqual([golden.config.eos_token_id]);
    expect(lacksTokenizer(policy)).toBe(true);
    expect(() => policy.tokenizer.encode('a')).toThrow(/has no tokenizer.json: it takes token ids, not text/);
    expect(() => policy.tokenizerFiles.json).toThrow(CheckpointError);
  },
);

test("gpt2's published names are the model's, and its mask buffers are left out", async () => {
  const copy = copyOf(goldenDirectory('gpt2'));
  rmSync(join(copy, 'model.safetensors'));
  renameSync(join(copy, 'model_hub_layout.safetensors'), join(copy, 'model.safetensors'));
  const policy = await readPolicy(copy);
  expect(new Map(policy.weights)).toEqual((await readGolden('gpt2')).weights);
});

test('links of a hub cache are followed, links elsewhere are not', async () => {
  const root = temporaryDirectory();
  const cache = join(root, 'models--org--name');
  const snapshot = join(cache, 'snapshots', 'abc');
  cpSync(modelDirectory('qwen2-f16'), join(cache, 'blobs'), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  for (const file of readdirSync(join(cache, 'blobs')))
    symlinkSync(join('../../blobs', file), join(snapshot, file));
  expect((await readPolicy(snapshot)).weights.size).toBe(26);
  const outside = join(root, 'elsewhere');
  mkdirSync(outside);
  for (const file of ['config.json', 'model.safetensors'])
    symlinkSync(join(cache, 'blobs', file), join(outside, file));
  expect((await readPolicy(outside)).weights.size).toBe(26);
  rmSync(join(outside, 'model.safetensors'));
  symlinkSync(join(modelDirectory('qwen2-f16'), 'model.safetensors'), join(outside, 'model.safetensors'));
  expect((await refusal(outside)).message).toMatch(/is a link that leads out of the model's directory, to /);
  rmSync(join(outside, 'model.safetensors'));
  symlinkSync('nowhere', join(outside, 'model.safetensors'));
  expect((await refusal(outside)).message).toMatch(/is a link to a file that is not there/);
});

test('missing, misshaped and unexpected tensors are named, with what was expected and found', async () => {
  const norm = 'model.norm.weight';
  const missing = await refusal(await changed((tensors) => tensors.delete(norm)));
  expect(missing.message).toMatch(/the tensor "model.norm.weight" \(32\) is missing/);
  expect(missing.tensor).toBe(norm);
  const shape = await changed((tensors) =>
    tensors.set(norm, { dtype: 'f32', shape: [31], data: new Float32Array(31) }),
  );
  expect((await refusal(shape)).message).toMatch(/"model.norm.weight" is \(31\).*as \(32\)/);
  const extra = await changed((tensors) => tensors.set('x.weight', tensors.get(norm)!));
  expect((await refusal(extra)).message).toMatch(/the tensor "x.weight" \(32\) is none of the model/);
  const integers = { dtype: 'i32', shape: [32], data: new Int32Array(32) } as const;
  const typed = await changed((tensors) => tensors.set(norm, integers));
  expect((await refusal(typed)).message).toMatch(
    /"model.norm.weight" holds I32 numbers; weights are read in F32, F16, BF16 and F64/,
  );
});

test('a reward model is no policy where it lacks the output layer, and a policy is no reward model', async () => {
  expect((await refusal(modelDirectory('llama-reward'))).message).toMatch(
    /is a reward model: it has no output layer/,
  );
  await expect(readReward(goldenDirectory('llama'))).rejects.toThrow(
    /is no reward model: it has no score.weight/,
  );
  const two = { dtype: 'f32', shape: [2, 32], data: new Float32Array(64) } as const;
  const labels = await changed((tensors) => tensors.set('score.weight', two));
  expect((await refusal(labels)).message).toMatch(/"score.weight" is \(2, 32\).*as \(1, 32\)/);
});

test('a directory without safetensors says what it has and the way out', async () => {
  const copy = copyOf(goldenDirectory('llama'));
  for (const file of readdirSync(copy)) if (file !== 'config.json') rmSync(join(copy, file));
  expect((await refusal(copy)).message).toMatch(/no model.safetensors, no adapter_model.safetensors$/);
  writeFileSync(join(copy, 'pytorch_model.bin'), 'x');
  const pickle = await refusal(copy);
  expect(pickle.message).toMatch(/"pytorch_model.bin" is a Python pickle, which can run code/);
  expect(pickle.help[0]).toMatch(/save_pretrained/);
  rmSync(join(copy, 'config.json'));
  expect((await refusal(copy)).message).toMatch(/config.json: is missing/);
  await expect(readPolicy(join(copy, 'nowhere'))).rejects.toThrow(/nowhere: no such directory/);
});

test('weights in codes of others are refused by name', async () => {
  const copy = copyOf(goldenDirectory('llama'));
  const { config } = await readGolden('llama');
  writeFileSync(
    join(copy, 'config.json'),
    JSON.stringify({ ...config, quantization_config: { quant_method: 'gptq' } }),
  );
  expect((await refusal(copy)).message).toMatch(/quantized with "gptq", which ftc does not read/);
});
