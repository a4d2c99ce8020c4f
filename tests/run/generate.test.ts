/** What `generate` says where there is nothing to generate from. */
import { expect, test } from 'vitest';
import { generate } from '../../src/runtime/run/generate.ts';
import { StageError } from '../../src/runtime/stages/stage.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();

test('models that are not there, prompts that do not fit', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=1)`);
  const ask = async (model: string, prompt: string) => {
    const request = {
      model,
      prompt,
      chat: false,
      temperature: 0,
      topP: 1,
      maxTokens: 3,
      seed: 0,
      store: shop.store,
    };
    let text = '';
    for await (const piece of generate(request)) text += piece;
    return text;
  };
  const refused = async (model: string, prompt: string) => {
    const error = await ask(model, prompt).catch((e: unknown) => e);
    if (!(error instanceof StageError)) throw error;
    return [error.kind, error.message, error.place.help?.[0]];
  };
  expect((await refused('latest', 'a'))[1]).toContain('has no run');
  await shop.run();
  expect(await refused('latst', 'a')).toEqual([
    'unknown-name',
    "`latst` is no model's directory, no run and no stage with a policy",
    'did you mean `latest`?',
  ]);
  expect(await refused('latest/pretrian', 'a')).toEqual([
    'unknown-name',
    '`latest` has no stage `pretrian` with a policy',
    'did you mean `latest/pretrain`?',
  ]);
  expect((await refused(shop.directory, 'a'))[1]).toContain('has no config.json');
  expect(await refused('latest', '')).toEqual([
    'bad-row',
    'the prompt is empty: there is nothing to go on from',
    'give at least one word',
  ]);
  expect(await refused('latest', '0123456789'.repeat(5))).toEqual([
    'overlong-row',
    "the prompt has 50 tokens; the model's context of 32 has no room for an answer",
    'shorten it to less than 32 tokens',
  ]);
  expect((await ask('latest', 'a')).length).toBeGreaterThan(0);
});
