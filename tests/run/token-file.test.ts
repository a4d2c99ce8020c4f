/** Tokens that a stage reads again: in memory or in a file, the same. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenFile } from '../../src/runtime/run/token-file.ts';
import { MOST_BYTES_IN_MEMORY } from '../../src/runtime/stages/tokens.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const path = join(temporaryDirectory(), 'work', 'tokens.ids');
const PIECE = 1000;

test.each([
  ['two bytes', 2 ** 16, 2],
  ['four bytes', 2 ** 16 + 1, 4],
])('what is appended is read wherever it begins and ends, of %s each', (_, limit, bytes) => {
  const values = Int32Array.from({ length: 20_000 }, (_, i) => (i * 7919) % limit);
  const small = new TokenFile(path, limit);
  const large = new TokenFile(path, limit, bytes * PIECE);
  for (let from = 0; from < values.length; from += 1003) {
    const piece = values.subarray(from, from + 1003);
    small.append(piece);
    large.append(piece);
  }
  expect([small.inMemory, large.inMemory]).toEqual([true, false]);
  expect(statSync(path).size).toBe(bytes * 19 * PIECE);
  const at = fc.integer({ min: 0, max: values.length + 10 });
  fc.assert(
    fc.property(at, fc.nat({ max: 4000 }), (from, size) => {
      const expected = [...values.subarray(from, from + size)];
      expect([...small.subarray(from, from + size)]).toEqual(expected);
      expect([...large.subarray(from, from + size)]).toEqual(expected);
    }),
    {
      numRuns: 60,
      examples: [
        [19 * PIECE - 5, 10],
        [PIECE - 1, 2],
        [values.length, 3],
      ],
    },
  );
  expect(large.subarray(0, values.length)).toEqual(values);
  small.close();
  large.close();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('few tokens touch no disk', () => {
  const tokens = new TokenFile(join(dirname(path), 'deep', 'tokens.ids'), 300);
  tokens.append(new Int32Array(MOST_BYTES_IN_MEMORY / 2).fill(299));
  expect([tokens.inMemory, existsSync(join(dirname(path), 'deep'))]).toEqual([true, false]);
  tokens.append([1]);
  expect([tokens.inMemory, existsSync(join(dirname(path), 'deep'))]).toEqual([false, true]);
  expect([...tokens.subarray(MOST_BYTES_IN_MEMORY / 2 - 1, MOST_BYTES_IN_MEMORY)]).toEqual([299, 1]);
  tokens.close();
});

test('what is no token is refused, not cut', () => {
  const tokens = new TokenFile(path, 300);
  for (const wrong of [300, -1, 65_536, Number.NaN])
    expect(() => tokens.append([wrong])).toThrow(`${wrong} is no token of 300`);
});

test('no room on the disk is the usual problem', () => {
  const tokens = new TokenFile('/dev/full', 300, 0);
  expect(() => tokens.append(new Int32Array(2 * PIECE))).toThrow(
    expect.objectContaining({ name: 'StoreError', kind: 'disk-full' }),
  );
});
