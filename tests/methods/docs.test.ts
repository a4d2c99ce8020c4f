/** The numbers that the docs of methods and optimizers give are those of the code. */
import { expect, test } from 'vitest';
import { catalog } from '../../src/runtime/catalog.ts';
import { adam8bit } from '../../src/runtime/optimizers/adam8bit.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { quantizedBytes } from '../../src/runtime/quantization/quantized-bytes.ts';

const shape = [4096, 4096];
const weights = 4096 * 4096;
const page = (kind: 'methods' | 'optimizers', name: string) =>
  catalog[kind]![name]!.details!.replace(/\s+/g, ' ');

const bytes = (optimizer: typeof adamw) => optimizer({}).stateBytes(new Map([['w', shape]])).memory / weights;

test('lora: what an adapter of a large matrix has of its numbers', () => {
  const trained = 8 * (4096 + 4096);
  expect(weights / trained).toBe(256);
  expect(page('methods', 'lora')).toContain(
    `r=8 ${trained.toLocaleString('en')}, 1/256 or ${((100 * trained) / weights).toFixed(2)} % of it`,
  );
});

test('qlora: bits a weight', () => {
  const bits = (doubleQuantization: boolean) =>
    Number(
      ((8 * quantizedBytes(shape, { format: 'nf4', block: 64, doubleQuantization })) / weights).toFixed(3),
    );
  expect(page('methods', 'qlora')).toContain(`: ${bits(false)} bits a weight.`);
  expect(page('methods', 'qlora')).toContain(`: ${bits(true)} bits.`);
});

test('adamw and adam8bit: bytes of state a trained number', () => {
  expect(page('optimizers', 'adamw')).toContain(`${bytes(adamw)} bytes of state a trained number`);
  expect(page('optimizers', 'adam8bit')).toContain(
    `${bytes(adam8bit as typeof adamw).toFixed(2)} bytes of state a trained number instead of ${bytes(adamw)}`,
  );
});

test('full: weights, gradients and both moments', () => {
  const { BYTES_PER_ELEMENT: number } = Float32Array;
  expect(page('methods', 'full')).toContain(`${2 * number + bytes(adamw)} bytes a weight`);
});
