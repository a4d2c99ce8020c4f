/** Pipelines that start from a model which is there. */
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generate } from '../../src/runtime/run/generate.ts';
import { TINY, workshops } from './workshop.ts';

const template = `template plain = """
{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}
"""
`;
const make = `${template}pretrain(${TINY} max_steps=3 template=plain) → export(to="base")`;
const workshop = workshops();
const sampling = { chat: false, temperature: 0, topP: 1, maxTokens: 2, seed: 0 };
const lora = 'lora r=2 targets=q,v';

async function withBase() {
  const shop = workshop(make);
  const made = await shop.run();
  expect(made.of('diagnostic')).toEqual([]);
  expect(made.end.status).toBe('ok');
  return shop;
}

test('an opened model is the one that was exported: the same first loss, no copy, cached at the second run', async () => {
  const shop = await withBase();
  shop.pipeline(`${template}pretrain(${TINY} max_steps=3 template=plain) → sft(${lora} max_steps=2)`);
  const whole = await shop.run();
  shop.pipeline(`model base = local("base")\nsft(model=base ${lora} max_steps=2)`);
  const opened = await shop.run();
  expect(opened.end.status).toBe('ok');
  expect(opened.series('sft', 'loss')).toEqual(whole.series('sft', 'loss'));
  expect(opened.computed).toEqual(['base', 'sft']);
  const again = await shop.run();
  expect(again.computed).toEqual([]);
});

test('a step and an option mean the same', async () => {
  const shop = await withBase();
  shop.pipeline(`sft(model=local("base") ${lora} max_steps=1)`);
  await shop.run();
  shop.pipeline(`open(local("base")) → sft(${lora} max_steps=1)`);
  const again = await shop.run();
  expect(again.computed).toEqual([]);
});

test('a copy elsewhere is the same model; a changed file is another', async () => {
  const shop = await withBase();
  shop.pipeline(`sft(model=local("base") ${lora} max_steps=1)`);
  await shop.run();
  const { stages } = await shop.plan();
  cpSync(join(shop.directory, 'base'), join(shop.directory, 'copy'), { recursive: true });
  shop.pipeline(`sft(model=local("copy") ${lora} max_steps=1)`);
  const copied = await shop.plan();
  expect(copied.stages.map(({ key }) => key)).toEqual(stages.map(({ key }) => key));
  const config = JSON.parse(shop.read('copy/config.json'));
  shop.write('copy/config.json', JSON.stringify({ ...config, rms_norm_eps: 1e-3 }));
  const changed = await shop.plan();
  expect(changed.stages.map(({ action }) => action)).toEqual(['run', 'run']);
});

test('the plan counts tokens with the model’s own tokenizer and knows its sizes', async () => {
  const shop = await withBase();
  shop.pipeline(`sft(model=local("base") ${lora} epochs=1)`);
  const { stages, diagnostics } = await shop.plan();
  expect(diagnostics).toEqual([]);
  const run = await shop.run();
  const trained = run.of('step', 'sft');
  expect(stages[1]!.steps).toBe(trained.length);
  expect(stages[0]!.parameters!.total).toBe(stages[1]!.parameters!.total - stages[1]!.parameters!.trainable);
});

test('every stage starts from a model that it names', async () => {
  const shop = await withBase();
  shop.pipeline(
    `model base = local("base")
     rm(model=base ${lora} max_steps=1) → ppo(model=base ${lora} steps=1 batch=2 max_new_tokens=4) → eval(model=base data=jsonl("data/sft.jsonl") split=all max_new_tokens=2) → export(to="out")`,
  );
  const run = await shop.run();
  expect(run.of('diagnostic')).toEqual([]);
  expect(run.end.status).toBe('ok');
  expect(run.computed).toEqual(['base', 'rm', 'ppo', 'eval', 'export']);
});

test('a directory that is not there, and one without a model', async () => {
  const shop = workshop('sft(model=local("nowhere"))');
  const missing = await shop.plan();
  expect(missing.diagnostics).toMatchObject([
    { code: 'FTP5011', stage: 'open', span: { line: 1, column: 5 } },
  ]);
  expect(missing.diagnostics[0]!.message).toContain('nowhere: no such directory');
  shop.write('empty/readme.txt', 'x');
  shop.pipeline('sft(model=local("empty"))');
  const empty = await shop.plan();
  expect(empty.diagnostics[0]!.message).toContain('empty: has neither config.json nor adapter_config.json');
});

test('a model that was moved away since it was opened', async () => {
  const shop = await withBase();
  shop.pipeline(`sft(model=local("base") ${lora} max_steps=1) → export(to="out")`);
  await shop.run({ until: 'sft' });
  renameSync(join(shop.directory, 'base'), join(shop.directory, 'elsewhere'));
  const missing = await shop.plan();
  expect(missing.diagnostics).toMatchObject([{ stage: 'open' }]);
  shop.pipeline(`sft(model=local("elsewhere") ${lora} max_steps=1) → export(to="out")`);
  const moved = await shop.run();
  expect(moved.end.status).toBe('ok');
  expect(moved.computed).toEqual(['open', 'export']);
});

test('a model that has changed since an adapter was trained on it is not taken for the old one', async () => {
  const shop = await withBase();
  shop.pipeline(`sft(model=local("base") ${lora} max_steps=1)`);
  await shop.run();
  const generating = () =>
    generate({ ...sampling, model: 'sft', prompt: 'The hen', store: shop.store }).next();
  expect((await generating()).done).toBe(false);
  const config = JSON.parse(shop.read('base/config.json'));
  shop.write('base/config.json', JSON.stringify({ ...config, rms_norm_eps: 1e-3 }));
  await expect(generating()).rejects.toThrow('has changed since it was opened');
});
