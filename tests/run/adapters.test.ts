/** Adapters in PEFT's layout from any directory: on their base they compute what PEFT computes, on another they are refused. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { readSafetensors, writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { openAdapter, readPolicy } from '../../src/runtime/run/policies.ts';
import type { Reward } from '../../src/runtime/stages/stage.ts';
import {
  adapterDirectory,
  expectedRows,
  goldenDirectory,
  modelDirectory,
} from '../reference/checkpoints/read.ts';
import { expectClose } from '../reference/close.ts';
import { logitsOf, rewardOf } from '../stages/by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const LOGITS = { absolute: 2e-5, relative: 1e-5 };
const FILES = ['adapter_config.json', 'adapter_model.safetensors'];

const open = async (name: string, base = name.split('-')[0]!, given?: string) =>
  openAdapter(adapterDirectory(name), await readPolicy(goldenDirectory(base)), given);

/** An adapter with another config or other tensors. */
async function changed(
  name: string,
  config: object,
  change: (tensors: Map<string, Tensor>) => void = () => undefined,
): Promise<string> {
  const copy = join(temporaryDirectory(), name);
  cpSync(adapterDirectory(name), copy, { recursive: true });
  const [settings, file] = FILES.map((one) => join(copy, one)) as [string, string];
  writeFileSync(settings, JSON.stringify({ ...JSON.parse(readFileSync(settings, 'utf8')), ...config }));
  const tensors = await readSafetensors(file);
  change(tensors);
  await writeSafetensors(file, tensors);
  return copy;
}

async function refusal(directory: string, base = 'llama', given?: string): Promise<string> {
  const policy = await readPolicy(goldenDirectory(base));
  const error = await openAdapter(directory, policy, given).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CheckpointError);
  return (error as Error).message;
}

test.each([
  'llama-saved',
  'llama-layers',
  'llama-regex',
  'llama-all-linear',
  'gpt2-bias-all',
  'qwen2-bias-lora',
])('%s computes what PEFT computes', async (name) => {
  const policy = await open(name);
  for (const { ids, logits } of await expectedRows(adapterDirectory(name)))
    expectClose(logitsOf(policy, ids), logits!, LOGITS, 'logits');
});

test('a reward adapter brings its head, and gives the rewards that PEFT gives', async () => {
  const reward = (await open('llama-reward')) as Reward;
  for (const { ids, reward: expected } of await expectedRows(adapterDirectory('llama-reward')))
    expect(rewardOf(reward, reward.score, ids)).toBeCloseTo(expected!, 5);
});

test('the base stays as it is, what is not adapted is shared with it, the rest is merged when it is asked for', async () => {
  const base = await readPolicy(goldenDirectory('llama'));
  const before = new Map(base.weights);
  const { weights } = await openAdapter(adapterDirectory('llama-layers'), base);
  expect(weights.get('model.norm.weight')).toBe(base.weights.get('model.norm.weight'));
  const adapted = 'model.layers.1.mlp.down_proj.weight';
  expect(weights.get(adapted)).not.toEqual(before.get(adapted));
  expect(weights.get(adapted)).toBe(weights.get(adapted));
  expect(new Map(base.weights)).toEqual(before);
});

test('an adapter finds the base that it names, and says where it looked', async () => {
  const root = temporaryDirectory();
  const adapter = join(root, 'adapter');
  cpSync(adapterDirectory('llama-layers'), adapter, { recursive: true });
  const error = await readPolicy(adapter).catch((e: unknown) => e);
  expect((error as Error).message).toMatch(/is an adapter of "golden\/llama", which is no model's directory/);
  expect((error as CheckpointError).help).toEqual(['name the base: `hf("golden/llama" adapter="DIR")`']);
  cpSync(goldenDirectory('llama'), join(adapter, 'golden/llama'), { recursive: true });
  const [row] = await expectedRows(adapterDirectory('llama-layers'));
  expectClose(logitsOf(await readPolicy(adapter), row!.ids), row!.logits!, LOGITS);
});

test('another base than the one named inside is an error that says both', async () => {
  const directory = adapterDirectory('llama-layers');
  expect(await refusal(directory, 'llama', 'other/model')).toMatch(
    /is an adapter of "golden\/llama", not of "other\/model"/,
  );
  const cached = '/home/me/.cache/huggingface/hub/models--other--model/snapshots/0a1b';
  expect(await refusal(directory, 'llama', cached)).toMatch(/of "golden\/llama", not of "\/home/);
  await open('llama-layers', 'llama', 'Golden/Llama');
  await open('llama-layers', 'llama', 'models/a copy');
});

test('a base of another shape, depth or vocabulary is refused with both shapes', async () => {
  const small = await readPolicy(modelDirectory('llama-bf16-shards'));
  const shape = await openAdapter(adapterDirectory('llama-layers'), small).catch((e: Error) => e.message);
  expect(shape).toMatch(
    /down_proj has A \(3, 88\) and B \(32, 3\); the base has a layer of 24 inputs and 16 outputs there/,
  );
  const vocabulary = await openAdapter(adapterDirectory('llama-saved'), small).catch((e: Error) => e.message);
  expect(vocabulary).toMatch(
    /_(tokens|head).weight as \(97, 32\), the base has it as \(40, 16\): it is for another base/,
  );
  expect(await refusal(adapterDirectory('gpt2-bias-all'))).toMatch(/which has no place in the base model/);
  const q = 'base_model.model.model.layers.7.self_attn.q_proj';
  const deeper = await changed('llama-saved', {}, (tensors) => {
    const [a, b] = ['lora_A', 'lora_B'].map(
      (part) => `base_model.model.model.layers.0.self_attn.q_proj.${part}.weight`,
    );
    tensors.set(`${q}.lora_A.weight`, tensors.get(a!)!).set(`${q}.lora_B.weight`, tensors.get(b!)!);
  });
  expect(await refusal(deeper)).toMatch(
    /changes model.layers.7.self_attn.q_proj, which the base model does not have/,
  );
});

test.each([
  [{ peft_type: 'IA3' }, /of the kind peft_type="IA3"; ftc reads LORA/],
  [{ layer_replication: [[0, 2]] }, /has layer_replication=\[\[0,2\]\], which ftc does not compute/],
  [{ trainable_token_indices: [1] }, /has trainable_token_indices/],
  [{ lora_bias: true }, /has lora_bias=true/],
  [{ a_setting_of_tomorrow: { a: 1 } }, /has a_setting_of_tomorrow=\{"a":1\}/],
  [{ r: 4 }, /of rank 3; its adapter_config.json says r=4/],
  [{ r: '4' }, /has r="4", not a number above 0/],
  [{ lora_alpha: -1 }, /has lora_alpha=-1/],
  [{ rank_pattern: [1] }, /has rank_pattern=\[1\], not an object/],
  [{ use_dora: true }, /use_dora=true does not agree with its tensors/],
  [
    { target_modules: ['o_proj'] },
    /changes model.layers.1.mlp.down_proj, which its adapter_config.json does not name/,
  ],
  [
    { target_modules: ['o_proj', 'down_proj', 'up_proj'] },
    /has model.layers.1.mlp.up_proj, .* the adapter has no tensors/,
  ],
  [{ target_modules: '(' }, /the pattern "\(" is no regular expression/],
  [{ target_modules: '([\\w.]+)+!' }, /takes too long on a module's name/],
  [{ target_modules: [3] }, /has target_modules=\[3\], not a list of names/],
  [
    { layers_to_transform: 0 },
    /changes model.layers.1.mlp.down_proj, which its adapter_config.json does not name/,
  ],
  [{ modules_to_save: ['lm_head'] }, /names modules_to_save=lm_head, and the adapter has no tensor for it/],
])('the setting %j is refused', async (config, message) => {
  expect(await refusal(await changed('llama-layers', config))).toMatch(message);
});

test('tensors without a place, and halves of a pair, are refused by name', async () => {
  const name = 'base_model.model.model.layers.1.self_attn.o_proj';
  const half = await changed('llama-layers', {}, (tensors) => tensors.delete(`${name}.lora_B.weight`));
  expect(await refusal(half)).toMatch(/o_proj.lora_A.weight but no lora_B.weight beside it/);
  const other = await changed('llama-layers', {}, (tensors) => tensors.delete(`${name}.lora_A.weight`));
  expect(await refusal(other)).toMatch(/has .*o_proj.lora_B.weight without the tensor A of this module/);
  const vector = { dtype: 'f32', shape: [1], data: new Float32Array(1) } as const;
  const extra = await changed('llama-layers', {}, (tensors) =>
    tensors.set('base_model.model.x.weight', vector),
  );
  expect(await refusal(extra)).toMatch(/base_model.model.x.weight, which has no place in the base model/);
  const integers = { dtype: 'i32', shape: [1], data: new Int32Array(1) } as const;
  const typed = await changed('llama-layers', {}, (tensors) =>
    tensors.set('base_model.model.x.weight', integers),
  );
  expect(await refusal(typed)).toMatch(/holds i32 numbers, not floats/);
});

test('an adapter of one use of a tied weight is refused', async () => {
  const table = { dtype: 'f32', shape: [97, 32], data: new Float32Array(97 * 32) } as const;
  const saved = await changed('qwen2-bias-lora', { modules_to_save: ['embed_tokens'] }, (tensors) =>
    tensors.set('base_model.model.model.embed_tokens.weight', table),
  );
  expect(await refusal(saved, 'qwen2')).toMatch(
    /embed_tokens.weight of its own, which is embedding and output layer in one/,
  );
  const pair = (part: string, rows: number, columns: number): [string, Tensor] => [
    `base_model.model.lm_head.lora_${part}.weight`,
    { dtype: 'f32', shape: [rows, columns], data: new Float32Array(rows * columns) },
  ];
  const targets = { target_modules: ['q_proj', 'o_proj', 'lm_head'] };
  const head = await changed('qwen2-bias-lora', targets, (tensors) => {
    tensors.set(...pair('A', 3, 32)).set(...pair('B', 97, 3));
  });
  expect(await refusal(head, 'qwen2')).toMatch(/changes only lm_head, and both are one weight in the base/);
});

test('files that are not there are named', async () => {
  const copy = await changed('llama-layers', {});
  rmSync(join(copy, 'adapter_config.json'));
  expect(await refusal(copy)).toMatch(/adapter_config.json: is missing/);
  rmSync(join(copy, 'adapter_model.safetensors'));
  writeFileSync(join(copy, 'adapter_model.bin'), '');
  expect(await refusal(copy)).toMatch(/"adapter_model.bin" is a Python pickle/);
});
