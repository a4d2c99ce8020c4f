/** Bytes that a stage keeps: in memory or in a file, the same. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fitsInMemory, openScratch } from '../../src/runtime/run/scratch.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const path = join(temporaryDirectory(), 'work', 'scratch.pages');

test.each([
  ['memory', 1e9],
  ['a file', 1000],
])('what is written is read, in %s', async (where, free) => {
  const scratch = await openScratch(path, 1024, free);
  expect(scratch.inMemory).toBe(where === 'memory');
  expect(existsSync(path)).toBe(where === 'a file');
  if (!scratch.inMemory) expect(statSync(path).size).toBe(1024);
  const numbers = Float32Array.from({ length: 8 }, (_, i) => i / 3);
  await scratch.write(new Uint8Array(numbers.buffer), 96);
  const into = new Float32Array(12);
  await scratch.read(new Uint8Array(into.buffer, 8, 36), 92);
  expect([...into]).toEqual([0, 0, 0, ...numbers, 0]);
  await scratch.close();
  expect(existsSync(path)).toBe(false);
});

test('a quarter of what is free, and a gibibyte at most', () => {
  expect([fitsInMemory(250, 1000), fitsInMemory(251, 1000)]).toEqual([true, false]);
  expect([fitsInMemory(2 ** 30, 1e12), fitsInMemory(2 ** 30 + 1, 1e12)]).toEqual([true, false]);
});
