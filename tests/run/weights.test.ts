/** Weights that are read when they are asked for. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { dequantize } from '../../src/runtime/quantization/dequantize.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { openWeights, throughCodes, withChanged } from '../../src/runtime/run/weights.ts';
import { randomNumbers } from '../programs/random-tensors.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const random = randomNumbers(7);
const tensor = (...shape: number[]): Tensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
});

async function written(tensors: ReadonlyMap<string, Tensor>) {
  const path = join(temporaryDirectory(), 'model.safetensors');
  await writeSafetensors(path, tensors);
  return openWeights(path, new Set());
}

test('what is asked for is kept and shared, what is read is not', async () => {
  const [a, b] = [tensor(3, 4), tensor(5)];
  const weights = await written(new Map([['a', a], ['b', b]])); // biome-ignore format: one line
  expect([...weights.keys()].sort()).toEqual(['a', 'b']);
  expect(weights.get('a')).toEqual(a);
  expect(weights.get('a')).toBe(weights.get('a'));
  expect(weights.read('b')).not.toBe(weights.read('b'));
  expect(weights.get('missing')).toBeUndefined();
  const changed = withChanged(weights, new Map([['a', tensor(3, 4)]]));
  expect(changed.get('b')).toBe(weights.get('b'));
  expect(changed.get('a')).not.toEqual(a);
  expect(new Map(changed)).toEqual(new Map([['a', changed.get('a')!], ['b', b]])); // biome-ignore format: one line
});

test('through codes: the values of the codes, and the codes themselves, once', async () => {
  const a = tensor(16, 16);
  const weights = await written(new Map([['a', a], ['norm', tensor(16)]])); // biome-ignore format: one line
  const options = { format: 'nf4', block: 64, doubleQuantization: true } as const;
  const view = throughCodes(weights, { ...options, weights: ['a'] });
  const codes = quantize({ shape: a.shape, data: a.data as Float32Array }, options);
  expect(view.get('a')!.data).toEqual(dequantize(codes));
  expect(view.codes('a')).toEqual(codes);
  expect(view.codes('norm')).toBeUndefined();
  expect(view.get('norm')).toBe(weights.get('norm'));
  expect(withChanged(view, new Map([['a', a]])).codes('a')).toBeUndefined();
});
