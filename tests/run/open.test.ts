/** Pipelines that start from a model which is there. */
import { cpSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WHOLE } from '../../src/runtime/checkpoints/checkpoint-tensors.ts';
import { readSafetensors, writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
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

/** A model in NF4, copied and then broken. */
async function withBroken(name: string, config: object, change: (tensors: Map<string, Tensor>) => void) {
  const shop = workshop(
    `${template}pretrain(${TINY} max_steps=1 template=plain) → export(to="base" quant=nf4)`,
  );
  await shop.run();
  const [base, copy] = ['base', name].map((directory) => join(shop.directory, directory)) as [string, string];
  cpSync(base, copy, { recursive: true });
  shop.write(
    `${name}/config.json`,
    JSON.stringify({ ...JSON.parse(shop.read('base/config.json')), ...config }),
  );
  const tensors = await readSafetensors(join(base, WHOLE));
  change(tensors);
  await writeSafetensors(join(copy, WHOLE), tensors);
  shop.pipeline(`sft(model=local("${name}") qlora r=2 max_steps=1)`);
  return shop;
}

const WEIGHT = 'model.layers.0.self_attn.q_proj.weight';
const STATE = `${WEIGHT}.quant_state.bitsandbytes__nf4`;
const before = 'it was before: `qlora` and `precision=int8` keep it small in memory';

test.each([
  {
    name: 'gptq',
    config: { quantization_config: { quant_method: 'gptq', bits: 4 } },
    change: () => undefined,
    message: 'gptq/config.json: says that the weights are quantized with "gptq", which ftc does not read',
    help: 'take the model as it was before it was quantized; `qlora` and `precision=int8` keep it small in memory',
  },
  {
    name: 'eight',
    config: { quantization_config: { quant_method: 'bitsandbytes', load_in_8bit: true } },
    change: () => undefined,
    message: 'says that the weights are quantized with bitsandbytes in 8 bits',
    help: 'take the model as it was before it was quantized; `qlora` and `precision=int8` keep it small in memory',
  },
  {
    name: 'stateless',
    config: {},
    change: (tensors: Map<string, Tensor>) => void tensors.delete(STATE),
    message: `stateless/model.safetensors: the tensor "${WEIGHT}" is in codes, and the quant_state that says what they mean is missing beside it`,
    help: 'download the model again: a quant_state lies beside every weight in codes',
  },
  {
    name: 'blocks',
    config: {},
    change(tensors: Map<string, Tensor>) {
      const text = new TextDecoder().decode(tensors.get(STATE)!.data as Uint8Array);
      const data = new TextEncoder().encode(text.replace('"blocksize": 64', '"blocksize": 96'));
      tensors.set(STATE, { dtype: 'u8', shape: [data.length], data });
    },
    message: `blocks/model.safetensors: the tensor "${STATE}" has blocksize 96, where a power of two is read (64 is usual)`,
    help: `quantize the model again, or take it as ${before}`,
  },
  {
    name: 'short',
    config: {},
    change: (tensors: Map<string, Tensor>) =>
      void tensors.set(`${WEIGHT}.absmax`, { dtype: 'u8', shape: [3], data: new Uint8Array(3) }),
    message: `short/model.safetensors: the tensor "${WEIGHT}.absmax" has 3 elements where its quant_state asks for 16`,
    help: `quantize the model again, or take it as ${before}`,
  },
])('codes that a run would refuse are refused by the plan: $name', async (broken) => {
  const shop = await withBroken(broken.name, broken.config, broken.change);
  const { diagnostics, stages } = await shop.plan();
  expect(diagnostics).toMatchObject([
    { severity: 'error', code: 'FTP5011', stage: 'open', span: { line: 1 } },
  ]);
  expect(diagnostics[0]!.message).toContain(broken.message);
  expect(diagnostics[0]!.help[0]).toBe(broken.help);
  expect(stages[0]!.action).toBe('blocked');
});

test('an adapter on a base of another family: the base that it names is the way out', async () => {
  const shop = await withBase();
  shop.pipeline(`open(local("base")) → sft(${lora} max_steps=1) → export(to="adapter" as=adapter)`);
  await shop.run();
  shop.pipeline(
    `${template}pretrain(model=gpt2(layers=1 width=32 heads=2 context=32) vocabulary=300 max_steps=1 template=plain) → export(to="other")`,
  );
  await shop.run();
  shop.pipeline(`open(local("other" adapter="adapter")) → sft(${lora} max_steps=1)`);
  const { diagnostics } = await shop.plan();
  expect(diagnostics).toMatchObject([{ code: 'FTP5011', stage: 'open' }]);
  expect(diagnostics[0]!.message).toContain(
    'the adapter changes model.layers.0.self_attn.q_proj, which the base model does not have',
  );
  const base = realpathSync(join(shop.directory, 'base'));
  expect(diagnostics[0]!.help).toEqual([`open it on its base: \`local("${base}" adapter="adapter")\``]);
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
