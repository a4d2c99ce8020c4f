/** Where the length of a program changes its values, no row passes the frozen blocks alone. */
import { expect, test } from 'vitest';
import { llama } from '../../src/runtime/models/llama.ts';
import { paddingMatters } from '../../src/runtime/stages/parts/frozen-prefix.ts';
import { publishedConfig } from '../reference/published-models.ts';

const dynamic = llama.shape({ ...publishedConfig('llama-dynamic'), model_type: 'llama' });
const linear = llama.shape({ ...publishedConfig('llama-linear'), model_type: 'llama' });

test('rows that are padded past the length from which angles grow', () => {
  expect([dynamic.fixedUpTo, dynamic.context]).toEqual([15, 45]);
  expect(paddingMatters(dynamic, [3, 8])).toBe(false);
  expect(paddingMatters(dynamic, [3, 17])).toBe(true);
  // Nine tokens are padded to sixteen.
  expect(paddingMatters(dynamic, [3, 9])).toBe(true);
  expect(paddingMatters(dynamic, [])).toBe(false);
});

test('no other model', () => {
  expect(paddingMatters(linear, [3, 60])).toBe(false);
});
