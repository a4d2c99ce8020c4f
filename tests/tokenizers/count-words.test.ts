import { expect, test } from 'vitest';
import { WordCounter } from '../../src/runtime/tokenizers/count-words.ts';

const found = (counter: WordCounter) => {
  const { symbols, starts, counts } = counter.words();
  const word = (i: number) => Buffer.from(symbols.subarray(starts[i]!, starts[i + 1]!)).toString();
  return Object.fromEntries(Array.from(counts, (count, i) => [word(i), count]));
};

test('the rarest words are forgotten where there are too many', () => {
  const counter = new WordCounter([], { words: 4, units: 1000 });
  counter.add('a a a a b b b c c d');
  expect(found(counter)).toEqual({ ' a': 3, ' b': 3 });
});

test('so are long ones; frequent words keep their counts', () => {
  const counter = new WordCounter([], { words: 1000, units: 100 });
  for (let i = 0; i < 50; i++) counter.add(`the ${'x'.repeat(30 + i)}`);
  expect(found(counter).the).toBe(50);
  expect(Object.keys(found(counter)).join('').length).toBeLessThanOrEqual(100);
});

test('a special token is a boundary, and not counted', () => {
  const counter = new WordCounter(['<|end|>']);
  counter.add('one<|end|>two one');
  expect(found(counter)).toEqual({ one: 1, two: 1, ' one': 1 });
});
