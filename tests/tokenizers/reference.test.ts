import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { endOfText } from '../../src/runtime/tokenizers/train-tokenizer.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../reference/tokenizer/${name}`, import.meta.url), 'utf8'));
const tokenizer = loadTokenizer(read('tokenizer.json'), { eos_token: endOfText });
const rows = read('ids.json') as { text: string; ids: number[] }[];

test('a tokenizer.json that ftc wrote gives the ids that the Rust tokenizers library reads from it', () => {
  expect(rows.length).toBeGreaterThan(150);
  for (const { text, ids } of rows) {
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  }
});
