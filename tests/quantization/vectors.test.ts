/** Against the numbers of bitsandbytes' portable backend: every code and every bit. */
import { describe, expect, it } from 'vitest';
import { codeLookup } from '../../src/runtime/quantization/code-lookup.ts';
import { codeTables, dynamicMap } from '../../src/runtime/quantization/code-tables.ts';
import { dequantize } from '../../src/runtime/quantization/dequantize.ts';
import { dequantizeAbsmax } from '../../src/runtime/quantization/double-quantization.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { quantizedBytes } from '../../src/runtime/quantization/quantized-bytes.ts';
import type { QuantizedAbsmax } from '../../src/runtime/quantization/quantized-tensor.ts';
import { nf4Boundaries, nf4Codebook, nf4Vectors, signedDynamicMap } from '../reference/nf4-vectors.ts';

/** Bits, so that −0 is not 0. */
const bits = (values: ArrayLike<number>) => new Uint32Array(Float32Array.from(values).buffer);

describe('tables', () => {
  it('has the values and midpoints of NF4', () => {
    expect(bits(codeTables.nf4)).toEqual(bits(nf4Codebook));
    expect(bits(codeLookup(codeTables.nf4).midpoints.slice(0, 15))).toEqual(bits(nf4Boundaries));
  });

  it('has the dynamic map, and it is the formula to its last bit', () => {
    expect(dynamicMap.length).toBe(256);
    expect(bits(dynamicMap)).toEqual(bits(signedDynamicMap));
    const formula = [0, 1];
    for (let decade = 0; decade < 7; decade++)
      for (let k = 0; k < 2 ** decade; k++) {
        const value = 10 ** (decade - 6) * (0.1 + (0.9 * (k + 0.5)) / 2 ** decade);
        formula.push(value, -value);
      }
    formula.sort((a, b) => a - b);
    const off = formula.map((value, i) => Math.abs(value - dynamicMap[i]!) / Math.abs(value || 1));
    expect(Math.max(...off)).toBeLessThan(2 ** -22);
  });

  it('has FP4 in twelfths, in the order of bitsandbytes', () => {
    const twelfths = [0, 0.0625, 8, 12, 4, 6, 2, 3];
    expect([...codeTables.fp4.subarray(0, 8)]).toEqual(twelfths.map((value) => Math.fround(value / 12)));
    expect([...codeTables.fp4.subarray(9)]).toEqual([...codeTables.fp4.subarray(1, 8)].map((v) => -v));
    expect(Object.is(codeTables.fp4[8], 0)).toBe(true);
  });

  it('has 255 levels of int8 around code 128, and 15 of int4 around 8', () => {
    expect([codeTables.int8[1], codeTables.int8[128], codeTables.int8[255]]).toEqual([-1, 0, 1]);
    expect(codeTables.int8[129]).toBe(Math.fround(1 / 127));
    expect([codeTables.int4[1], codeTables.int4[8], codeTables.int4[15]]).toEqual([-1, 0, 1]);
    expect(codeTables.int4[10]).toBe(Math.fround(2 / 7));
  });
});

describe.each(nf4Vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
  const tensor = { shape: [vector.n], data: vector.weights };
  const options = { format: 'nf4', block: vector.blocksize } as const;
  const double = { ...options, doubleQuantization: true };
  const meanSquare = (values: Float32Array) =>
    values.reduce((sum, value, i) => sum + (value - vector.weights[i]!) ** 2, 0) / values.length;

  it('has its codes, absmax and values', () => {
    const quantized = quantize(tensor, options);
    expect(quantized.codes).toEqual(vector.packed);
    expect(bits(quantized.absmax as Float32Array)).toEqual(bits(vector.absmax));
    const values = dequantize(quantized);
    expect(bits(values)).toEqual(bits(vector.dequantized));
    expect(meanSquare(values)).toBeCloseTo(vector.mse, 12);
  });

  it('has its double quantization', () => {
    const quantized = quantize(tensor, double);
    const nested = quantized.absmax as QuantizedAbsmax;
    expect(quantized.codes).toEqual(vector.packed);
    expect(nested.offset).toBe(vector.double.offset);
    expect(nested.block).toBe(vector.double.nested_blocksize);
    expect([...nested.codes]).toEqual(vector.double.codes);
    expect(bits(nested.absmax)).toEqual(bits(vector.double.nested_absmax));
    expect(bits(dequantizeAbsmax(nested))).toEqual(bits(vector.double.absmax_dequant));
    const values = dequantize(quantized);
    expect(bits(values)).toEqual(bits(vector.double.dequantized));
    expect(meanSquare(values)).toBeCloseTo(vector.double.mse, 12);
  });

  it('takes as many bytes as are counted', () => {
    const padding = (vector.n % 2) * 4;
    const count = (bitsEach: number) => (bitsEach * vector.n + padding) / 8;
    expect(quantizedBytes([vector.n], options)).toBeCloseTo(count(vector.bits_per_param.single), 6);
    expect(quantizedBytes([vector.n], double)).toBeCloseTo(count(vector.bits_per_param.double), 6);
  });
});
