import { describe, expect, it } from 'vitest';
import { dequantize, dequantizeRange } from '../../src/runtime/quantization/dequantize.ts';
import { unpackCodes } from '../../src/runtime/quantization/pack-codes.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { quantizedBytes } from '../../src/runtime/quantization/quantized-bytes.ts';
import { type QuantizedAbsmax, quantizedFormats } from '../../src/runtime/quantization/quantized-tensor.ts';
import { random } from '../../src/runtime/random/random.ts';

const vector = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
const matrix = (rows: number, columns: number, data: number[]) => ({
  shape: [rows, columns],
  data: Float32Array.from(data),
});

describe('formats', () => {
  it('rounds to 127 levels of each sign in int8, and 7 in int4', () => {
    const data = [10, -10, 0, 0.04, 3.2, -7.77];
    const int8 = quantize(vector(...data), { format: 'int8' });
    expect([...int8.codes]).toEqual(data.map((x) => 128 + Math.round((x * 127) / 10)));
    expect(dequantize(int8)[4]).toBeCloseTo((41 / 127) * 10, 6);
    const int4 = quantize(vector(...data), { format: 'int4' });
    expect([...unpackCodes(int4.codes, 6)]).toEqual(data.map((x) => 8 + Math.round((x * 7) / 10)));
    expect(dequantize(int4)[5]).toBeCloseTo((-5 / 7) * 10, 6);
  });

  it('takes the lower of two neighbours on a tie', () => {
    const int4 = quantize(vector(14, 1, -1), { format: 'int4', block: 4 });
    expect([...unpackCodes(int4.codes, 3)]).toEqual([15, 8, 7]);
  });

  it('writes zeros as code 7 of nf4, 0 of fp4, 8 of int4 and 128 of int8, absmax 0', () => {
    const codes = quantizedFormats.map((format) => {
      const zeros = quantize(vector(0, -0, 0), { format, block: 2 });
      expect(zeros.absmax).toEqual(Float32Array.of(0, 0));
      expect(dequantize(zeros).every((value) => value === 0)).toBe(true);
      return [...zeros.codes];
    });
    expect(codes).toEqual([
      [0x77, 0x77],
      [0, 0],
      [128, 128, 128],
      [0x88, 0x88],
    ]);
  });

  it('takes a scalar, one element and nothing at all', () => {
    const scalar = quantize({ shape: [], data: Float32Array.of(-2.5) }, { format: 'nf4' });
    expect([...scalar.codes]).toEqual([0x07]);
    expect([...dequantize(scalar)]).toEqual([-2.5]);
    const empty = quantize(
      { shape: [0, 4], data: new Float32Array(0) },
      { format: 'nf4', doubleQuantization: true },
    );
    expect(dequantize(empty)).toEqual(new Float32Array(0));
    expect((empty.absmax as QuantizedAbsmax).offset).toBe(0);
  });

  it('multiplies whole blocks by the reciprocal, and divides in a ragged one', () => {
    // The first float whose quotient by 41 lies above a midpoint of nf4 that its product with f32(1 / 41) does not reach.
    const { midpoint, value } = disagreement();
    const whole = quantize(vector(41, value), { format: 'nf4', block: 2 });
    const ragged = quantize(vector(41, value), { format: 'nf4', block: 4 });
    expect(Math.fround(value * Math.fround(1 / 41)) > midpoint).toBe(false);
    expect(Math.fround(value / 41) > midpoint).toBe(true);
    expect(unpackCodes(whole.codes, 2)[1]).toBe(unpackCodes(ragged.codes, 2)[1]! - 1);
  });
});

function disagreement(): { midpoint: number; value: number } {
  const table = quantize(vector(1), { format: 'nf4' }).table;
  const reciprocal = Math.fround(1 / 41);
  for (let code = 8; code < 15; code++) {
    const midpoint = Math.fround(table[code]! + table[code + 1]!) / 2;
    const bits = new Uint32Array(Float32Array.of(midpoint * 41).buffer);
    for (let step = -8; step <= 8; step++) {
      const value = new Float32Array(Uint32Array.of(bits[0]! + step).buffer)[0]!;
      if (Math.fround(value / 41) > midpoint && !(Math.fround(value * reciprocal) > midpoint))
        return { midpoint, value };
    }
  }
  throw new Error('quotient and product agree on every midpoint');
}

describe('error of a round trip', () => {
  const count = 1_000_000;
  const { normal } = random(1, 'weights');
  const weights = { shape: [1000, 1000], data: Float32Array.from({ length: count }, normal) };
  const meanSquare = (doubleQuantization: boolean, format: 'nf4' | 'int4' = 'nf4') => {
    const values = dequantize(quantize(weights, { format, doubleQuantization }));
    return values.reduce((sum, value, i) => sum + (value - weights.data[i]!) ** 2, 0) / count;
  };

  it('of nf4 on normal weights in blocks of 64 is 0.00843 of their variance', () => {
    const plain = meanSquare(false);
    expect(Math.abs(plain / 0.00843 - 1)).toBeLessThan(0.01);
    expect(meanSquare(false, 'int4')).toBeGreaterThan(1.3 * plain);
    const added = meanSquare(true) / plain - 1;
    expect(added).toBeGreaterThan(0.0002);
    expect(added).toBeLessThan(0.001);
  });
});

describe('bytes', () => {
  const shape = [4096, 4096];
  const bitsEach = (bytes: number) => (8 * bytes) / 4096 ** 2;

  it('are 4.5 bits a parameter, 4.126953 with double quantization and the 4 bytes of its offset', () => {
    expect(bitsEach(quantizedBytes(shape, { format: 'nf4' }))).toBe(4.5);
    expect(bitsEach(quantizedBytes(shape, { format: 'nf4', doubleQuantization: true }) - 4)).toBe(
      4.126953125,
    );
    expect(bitsEach(quantizedBytes(shape, { format: 'int8' }))).toBe(8.5);
    expect(bitsEach(quantizedBytes(shape, { format: 'int4', block: 32 }))).toBe(5);
  });

  it('are those of the arrays', () => {
    for (const format of quantizedFormats)
      for (const count of [0, 1, 63, 64, 65, 131, 16_384, 16_385])
        for (const doubleQuantization of [false, true]) {
          const options = { format, block: 32, doubleQuantization };
          const { codes, absmax } = quantize(vector(...new Float32Array(count).fill(1)), options);
          const constants =
            absmax instanceof Float32Array
              ? absmax.byteLength
              : absmax.codes.byteLength + absmax.absmax.byteLength + 4;
          expect(quantizedBytes([count], options)).toBe(codes.byteLength + constants);
        }
  });
});

describe('refusals', () => {
  it('of a block that is not a power of two', () => {
    const refused = (block: number) => () => quantize(vector(1), { format: 'nf4', block });
    expect(refused(48)).toThrow('block is 48, not a power of two: try 64');
    expect(refused(0)).toThrow('block is 0, not a power of two: try 64');
    expect(refused(2.5)).toThrow('block is 2.5');
    expect(refused(Number.NaN)).toThrow('block is NaN');
    expect(() => quantizedBytes([8], { format: 'nf4', block: 100 })).toThrow('try 128');
  });

  it('of numbers that are not finite, with their place', () => {
    const data = new Array<number>(12).fill(1);
    data[7] = Number.NaN;
    data[9] = Number.NEGATIVE_INFINITY;
    expect(() => quantize(matrix(3, 4, data), { format: 'nf4', block: 4 }, 'h.0.weight')).toThrow(
      'the tensor "h.0.weight" cannot be quantized: it is NaN at [1, 3]',
    );
    data[7] = 0;
    expect(() => quantize(matrix(3, 4, data), { format: 'int8' }, 'h.0.weight')).toThrow(
      'it is -Infinity at [2, 1]',
    );
  });

  it('of a shape that does not fit, and of a range outside', () => {
    expect(() => quantize({ ...vector(1, 2, 3), shape: [2, 2] }, { format: 'nf4' }, 'w')).toThrow(
      'the tensor "w" has the shape [2, 2], 4 elements, but 3 numbers',
    );
    const quantized = quantize(vector(1, 2, 3), { format: 'nf4' });
    expect(() => dequantizeRange(quantized, 1, 4)).toThrow('elements 1 to 4 of 3');
    expect(() => dequantizeRange(quantized, 0, 3, new Float32Array(2))).toThrow(RangeError);
  });
});
