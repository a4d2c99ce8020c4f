/** Tokens of rows in the plan: a guess from bytes before there is a tokenizer, counted by it after. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lengthsOf } from '../../src/runtime/stages/estimates/lengths.ts';
import type { EstimateContext, PlannedModel } from '../../src/runtime/stages/stage.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../../src/runtime/tokenizers/train-tokenizer.ts';
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

test('what a tokenizer puts before a text is counted', async () => {
  const shop = workshop(
    `pretrain(${TINY.replace('context=32', 'context=64')} max_steps=1) → export(to="model")`,
  );
  await shop.run();
  const path = join(shop.directory, 'model/tokenizer.json');
  const json = JSON.parse(readFileSync(path, 'utf8'));
  const [{ id, content }] = json.added_tokens;
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  const begin = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: content, type_id: 0 } }, sequence('A', 0)],
    pair: [sequence('A', 0), sequence('B', 1)],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
  shop.write('data/sft.jsonl', lines(rows));
  shop.write('data/notes.jsonl', lines(rows.map(({ completion }) => ({ text: completion }))));
  const both = async () => {
    shop.pipeline(`open(local("model"))
→ pretrain(data=jsonl("data/notes.jsonl") → split(test=0) batch=1 epochs=1)
→ sft(lora r=2; data=jsonl("data/sft.jsonl") → split(test=0) batch=4 epochs=1)`);
    const { stages } = await shop.plan();
    const ran = await shop.run();
    const tokens = ran.finished('sft').metrics.num_tokens!;
    expect(stages.find((s) => s.id === 'sft')!.tokens).toBe(tokens);
    const steps = ran.of('step', 'pretrain').length;
    expect(stages.find((s) => s.id === 'pretrain')!.steps).toBe(steps);
    return { tokens, steps };
  };
  const plain = await both();
  writeFileSync(path, JSON.stringify({ ...json, post_processor: begin }));
  const begun = await both();
  expect(begun.tokens).toBe(plain.tokens + rows.length);
  expect(begun.steps).toBeGreaterThan(plain.steps - 1);
});

test('a tokenizer of other words counts anew, whatever it makes of common ones', async () => {
  // All but the rarest merge of six made-up words; the probe has none of their letters side by side.
  const words = 'zyqgrot plimvask kwexunda jibbolve vroztak mubfloz'.split(' ');
  const text = Array.from(
    { length: 400 },
    (_, i) => words[i % 6]! + words[(5 * i) % 6]! + words[(7 * i) % 6]!,
  );
  const asked: string[] = [];
  const context = {
    job: {},
    lengths: async (_: string, __: string, as: readonly unknown[]) => asked.push(JSON.stringify(as)),
  } as unknown as EstimateContext;
  for (const vocabularySize of [280, 400, 280]) {
    const { json, config } = await trainTokenizer([text.join(' ')], { vocabularySize });
    const model: Partial<PlannedModel> = { tokenizer: loadTokenizer(json, config), tokensPerByte: 0.3 };
    await lengthsOf(context, 'data', 'train', 'completion', model as PlannedModel);
  }
  expect(asked[1]).not.toBe(asked[0]);
  expect(asked[2]).toBe(asked[0]);
});
