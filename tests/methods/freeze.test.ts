/** Which tensors freeze trains. */
import { expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { freeze } from '../../src/runtime/methods/freeze.ts';
import { full } from '../../src/runtime/methods/full.ts';
import { readGolden } from '../reference/golden.ts';
import { targetOf } from './targets.ts';

const trained = async (name: 'gpt2' | 'llama', options: Record<string, Json>) =>
  freeze.apply(targetOf(await readGolden(name)), options).trainable;
const groups = (names: readonly string[]) => [...new Set(names.map((name) => /.*?\d+|.*/.exec(name)![0]))];

test('the last blocks and the final norm', async () => {
  expect(groups(await trained('gpt2', { layers: 1 }))).toEqual([
    'transformer.h.1',
    'transformer.ln_f.weight',
    'transformer.ln_f.bias',
  ]);
  expect(groups(await trained('llama', {}))).toEqual([
    'model.layers.0',
    'model.layers.1',
    'model.norm.weight',
  ]);
});

test('negative: the first blocks alone', async () => {
  expect(groups(await trained('llama', { layers: -1 }))).toEqual(['model.layers.0']);
});

test('numbers of blocks that make no sense', async () => {
  await expect(trained('llama', { layers: 0 })).rejects.toMatchObject({
    name: 'MethodError',
    option: 'layers',
  });
  await expect(trained('llama', { layers: -3 })).rejects.toThrow('the model has 2 blocks, not 3');
});

test('full trains every tensor of the checkpoint', async () => {
  const golden = await readGolden('qwen2');
  expect(new Set(full.apply(targetOf(golden), {}).trainable)).toEqual(new Set(golden.weights.keys()));
});
