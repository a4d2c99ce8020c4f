import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLengthOf, numberTypes } from '../../src/runtime/gguf/number-types.ts';

const reference = JSON.parse(readFileSync(new URL('../reference/gguf/blocks.json', import.meta.url), 'utf8'));
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const numbers = new Float32Array(bytesOf(reference.numbers).buffer);

const encoded = (name: keyof typeof numberTypes, from: Float32Array) => {
  const bytes = new Uint8Array(byteLengthOf(numberTypes[name], from.length));
  numberTypes[name].encode(from, new DataView(bytes.buffer));
  return bytes;
};

const decoded = (name: keyof typeof numberTypes, bytes: Uint8Array) => {
  const { block, bytes: each } = numberTypes[name];
  const into = new Float32Array((bytes.length / each) * block);
  numberTypes[name].decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), into);
  return into;
};

const meanSquare = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length;

describe.each(['f16', 'q8_0', 'q4_0'] as const)('%s', (name) => {
  test('has the bytes and the error that gguf has', () => {
    const bytes = encoded(name, numbers);
    expect(Buffer.from(bytes).toString('base64')).toBe(reference[name].bytes);
    const error = meanSquare(numbers, decoded(name, bytes));
    expect(Math.abs(error / reference[name].mse - 1)).toBeLessThan(1e-5);
  });
});

test.each([
  ['q8_0', 127, 0.000027],
  ['q4_0', 8, 0.0072],
] as const)('the error of %s is that of its steps: a twelfth of their squares', (name, steps, about) => {
  const normal = numbers.subarray(13 * 32);
  const squares = Array.from({ length: 51 }, (_, block) => {
    const largest = Math.max(...normal.subarray(block * 32, block * 32 + 32).map(Math.abs));
    return (largest / steps) ** 2;
  });
  const expected = squares.reduce((sum, square) => sum + square, 0) / squares.length / 12;
  const error = meanSquare(normal, decoded(name, encoded(name, normal)));
  expect(Math.abs(error / expected - 1)).toBeLessThan(0.1);
  expect(Math.abs(error / about - 1)).toBeLessThan(0.1);
});

test('a number is never further off than half a step, and at the end of q4_0 one', () => {
  const row = fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(row, (values) => {
      const from = Float32Array.from(values);
      const largest = Math.max(...from.map(Math.abs));
      if (largest < 0.01) return;
      const eight = decoded('q8_0', encoded('q8_0', from));
      const four = decoded('q4_0', encoded('q4_0', from));
      from.forEach((x, i) => {
        expect(Math.abs(x - eight[i]!)).toBeLessThan((largest / 127) * 0.58);
        expect(Math.abs(x - four[i]!)).toBeLessThan((largest / 8) * 1.01);
      });
    }),
  );
});
