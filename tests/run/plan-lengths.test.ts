/** Tokens of rows in the plan: a guess from bytes before there is a tokenizer, counted by it after. */
import { expect, test } from 'vitest';
import { lines } from './tiny-data.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();

/** A script of three bytes a character, of which the text that the tokenizer is made from has none. */
const rows = Array.from({ length: 40 }, (_, i) => ({
  prompt: `数字 ${i} 是什么？`,
  completion: `它是 ${7 * i}，大约。`,
}));

test('rows unlike the text that the tokenizer was made from are counted once it exists', async () => {
  const shop = workshop(`pretrain(${TINY.replace('context=32', 'context=64')} max_steps=2)
→ sft(lora r=2; batch=4 epochs=2)`);
  shop.write('data/sft.jsonl', lines(rows));
  const tokens = async () => (await shop.plan()).stages[1]!.tokens;
  const guessed = await tokens();
  await shop.run({ until: 'pretrain' });
  const counted = await tokens();
  const seen = (await shop.run()).finished('sft').metrics.num_tokens!;
  expect(counted).toBe(seen);
  expect(guessed).toBeLessThan(0.7 * seen);
});
