/** An output layer in the file of a model whose config says that it is the token embedding. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { readPolicy } from '../../src/runtime/run/policies.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** qwen3, which is tied, with `lm_head.weight` made from its embedding. */
async function withHead(head: (embedding: Tensor) => Tensor): Promise<string> {
  const directory = join(temporaryDirectory(), 'model');
  cpSync(fileURLToPath(new URL('../reference/models/qwen3', import.meta.url)), directory, {
    recursive: true,
  });
  const path = join(directory, 'model.safetensors');
  const tensors = await readSafetensors(path);
  tensors.set('lm_head.weight', head(tensors.get('model.embed_tokens.weight')!));
  await writeSafetensors(path, tensors);
  return directory;
}

test('a copy is read over', async () => {
  const policy = await readPolicy(await withHead((embedding) => embedding));
  expect([...policy.weights.keys()]).not.toContain('lm_head.weight');
  expect(policy.weights.get('model.embed_tokens.weight')!.shape).toEqual([43, 16]);
});

test.each([0, 43 * 8, 43 * 16 - 1])('another number at %i is an error with a way out', async (at) => {
  const other = await withHead((embedding) => {
    const data = Float32Array.from(embedding.data);
    data[at]! += 1;
    return { ...embedding, data };
  });
  await expect(readPolicy(other)).rejects.toMatchObject({
    message: expect.stringContaining(
      'holds the tensor "lm_head.weight" with other numbers than "model.embed_tokens.weight", and config.json says that the two are one',
    ),
    help: ['set "tie_word_embeddings" to false in config.json where the model was trained with both'],
  });
});

test('another shape is one too', async () => {
  const short = await withHead(({ data, ...rest }) => ({
    ...rest,
    shape: [42, 16],
    data: data.slice(0, 42 * 16),
  }));
  await expect(readPolicy(short)).rejects.toThrow('with other numbers than');
});
