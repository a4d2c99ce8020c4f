import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeLookup, codeOf } from '../../src/runtime/quantization/code-lookup.ts';
import { codeTables, dynamicMap } from '../../src/runtime/quantization/code-tables.ts';
import { dequantize, dequantizeRange } from '../../src/runtime/quantization/dequantize.ts';
import { dequantizeAbsmax } from '../../src/runtime/quantization/double-quantization.ts';
import { packCodes, unpackCodes } from '../../src/runtime/quantization/pack-codes.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { bitsOfCode, quantizedFormats } from '../../src/runtime/quantization/quantized-tensor.ts';

const formats = fc.constantFrom(...quantizedFormats);
const blocks = fc.integer({ min: 0, max: 9 }).map((power) => 2 ** power);
/** Zeros, ordinary weights and the largest floats; what is smaller than 1e-30 is taken for 0. */
const weights = fc
  .oneof(
    { weight: 3, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
    { weight: 1, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
    { weight: 1, arbitrary: fc.constant(0) },
  )
  .map((value) => (Math.abs(value) < 1e-30 ? 0 : value));
const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 });
const tensors = shapes.chain((shape) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return fc
    .array(weights, { minLength: count, maxLength: count })
    .map((data) => ({ shape, data: Float32Array.from(data) }));
});
const runs = { numRuns: 300 };

/** The definition: midpoints strictly below, in ascending order of distinct values. */
function countedCode(table: Float32Array, value: number): number {
  const order = [...table.keys()]
    .filter((code) => table.indexOf(table[code]!) === code)
    .sort((a, b) => table[a]! - table[b]!);
  const below = order
    .slice(1)
    .filter((code, i) => Math.fround(Math.fround(table[order[i]!]! + table[code]!) / 2) < value);
  return order[below.length]!;
}

/** Half the distance from the value of each code to its farther neighbour. */
function halfSteps(table: Float32Array): number[] {
  const sorted = [...new Set(table)].sort((a, b) => a - b);
  return Array.from(table, (value) => {
    const i = sorted.indexOf(value);
    return Math.max(value - (sorted[i - 1] ?? value), (sorted[i + 1] ?? value) - value) / 2;
  });
}

describe('a code', () => {
  const tables = { ...codeTables, dynamicMap };
  it.each(Object.entries(tables))('of %s is the number of midpoints below', (_, table) => {
    const lookup = codeLookup(table);
    const around = [...lookup.midpoints.slice(0, -1)].flatMap((midpoint) => {
      const ulp = Math.max(Math.abs(midpoint) * 2 ** -23, 2 ** -149);
      return [midpoint - ulp, midpoint, midpoint + ulp].map(Math.fround);
    });
    for (const value of [-1, 1, 0, -0, ...around].filter((each) => Math.abs(each) <= 1))
      expect(codeOf(lookup, value), String(value)).toBe(countedCode(table, value));
    fc.assert(
      fc.property(fc.float({ min: -1, max: 1, noNaN: true }), (value) => {
        expect(codeOf(lookup, value)).toBe(countedCode(table, value));
      }),
      runs,
    );
  });
});

describe('any tensor', () => {
  it('keeps its codes, absmax and values when quantized again', () => {
    fc.assert(
      fc.property(tensors, formats, blocks, ({ shape, data }, format, block) => {
        const once = quantize({ shape, data }, { format, block });
        const values = dequantize(once);
        const twice = quantize({ shape, data: values }, { format, block });
        expect(twice).toEqual(once);
        expect(dequantize(twice)).toEqual(values);
      }),
      runs,
    );
  });

  it('is off by at most half a step of the table times the absmax of its block', () => {
    fc.assert(
      fc.property(tensors, formats, blocks, ({ shape, data }, format, block) => {
        const quantized = quantize({ shape, data }, { format, block });
        const absmax = quantized.absmax as Float32Array;
        const steps = halfSteps(quantized.table);
        const { codes } = quantized;
        const each = bitsOfCode(format) === 8 ? codes : unpackCodes(codes, data.length);
        dequantize(quantized).forEach((value, i) => {
          const largest = absmax[Math.floor(i / block)]!;
          expect(Math.abs(value - data[i]!)).toBeLessThanOrEqual((steps[each[i]!]! + 1e-6) * largest);
        });
        for (let b = 0; b < absmax.length; b++)
          expect(absmax[b]).toBe(Math.max(...data.subarray(b * block, (b + 1) * block).map(Math.abs)));
      }),
      runs,
    );
  });

  it('is read in pieces as it is read whole', () => {
    fc.assert(
      fc.property(
        tensors,
        formats,
        blocks,
        fc.boolean(),
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        ({ shape, data }, format, block, doubleQuantization, from, to) => {
          const quantized = quantize({ shape, data }, { format, block, doubleQuantization });
          const ends = [from, to].map((part) => Math.round(part * data.length)).sort((a, b) => a - b);
          const [start, end] = ends as [number, number];
          expect(dequantizeRange(quantized, start, end)).toEqual(dequantize(quantized).slice(start, end));
        },
      ),
      runs,
    );
  });

  it('keeps the codes of its weights under double quantization', () => {
    fc.assert(
      fc.property(tensors, formats, blocks, (tensor, format, block) => {
        const plain = quantize(tensor, { format, block });
        const double = quantize(tensor, { format, block, doubleQuantization: true });
        expect(double.codes).toEqual(plain.codes);
        expect(dequantizeAbsmax(double.absmax).length).toBe(
          plain.absmax instanceof Float32Array ? plain.absmax.length : -1,
        );
      }),
      runs,
    );
  });
});

it('packs what it unpacks, and unpacks what it packs', () => {
  const codes = fc.uint8Array({ max: 15, maxLength: 70 });
  fc.assert(
    fc.property(codes, (each) => {
      const packed = packCodes(each, 7);
      expect(packed.length).toBe(Math.ceil(each.length / 2));
      expect(unpackCodes(packed, each.length)).toEqual(each);
      expect([...packed]).toEqual(Array.from(packed, (_, i) => each[2 * i]! * 16 + (each[2 * i + 1] ?? 7)));
    }),
  );
});
