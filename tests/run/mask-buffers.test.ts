/** GPT-2 files hold the causal mask of each block beside the weights, in bytes or in floats: it is no weight. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { readPolicy } from '../../src/runtime/run/policies.ts';
import { goldenDirectory } from '../reference/checkpoints/read.ts';
import { goldenFile, readGolden } from '../reference/golden.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const masks: Readonly<Record<string, Tensor>> = {
  bytes: { dtype: 'u8', shape: [1, 1, 64, 64], data: new Uint8Array(64 * 64) },
  floats: { dtype: 'f32', shape: [1, 1, 64, 64], data: new Float32Array(64 * 64) },
};

test.each(Object.keys(masks))('a mask of %s is read over', async (kind) => {
  const directory = join(temporaryDirectory(), 'model');
  cpSync(goldenDirectory('gpt2'), directory, { recursive: true });
  const tensors = await goldenFile('gpt2', 'model_hub_layout.safetensors');
  for (const name of ['h.0.attn.bias', 'h.1.attn.bias']) {
    expect(tensors.has(name)).toBe(true);
    tensors.set(name, masks[kind]!);
  }
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  const { weights } = await readPolicy(directory);
  const golden = await readGolden('gpt2');
  expect([...weights.keys()].sort()).toEqual([...golden.weights.keys()].sort());
  for (const [name, { data }] of golden.weights) expect(weights.get(name)!.data, name).toEqual(data);
});
