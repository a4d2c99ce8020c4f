/** What a checkpoint lacks, has too much, or has in another shape. */
import { expect, test } from 'vitest';
import { checkTensors, explainTensorProblem } from '../../src/runtime/models/check-tensors.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import type { Shape } from '../../src/runtime/programs/ops.ts';

const tokens = { vocabularySize: 50, eos: 1, pad: 0 };
const small = { layers: 1, width: 8, heads: 2, mlp: 16, context: 32 };
const shapes = (family: ModelFamily, config: ModelConfig) =>
  new Map<string, Shape>(family.parameters(config).map((spec) => [spec.name, spec.shape]));

test('all tensors in their shapes: nothing to say', () => {
  const config = llama.configure({ ...small, tied: false }, tokens);
  const checked = checkTensors(llama, config, shapes(llama, config));
  expect(checked.problems).toEqual([]);
  expect([...checked.stored]).toEqual([...shapes(llama, config).keys()].map((name) => [name, name]));
});

test('each kind of problem names the tensor and what was expected', () => {
  const config = llama.configure({ ...small, tied: false }, tokens);
  const tensors = shapes(llama, config);
  tensors.delete('model.norm.weight');
  tensors.set('model.norm.wieght', [8]);
  tensors.set('model.layers.0.self_attn.q_proj.weight', [8, 4]);
  tensors.set('model.layers.0.self_attn.q_proj.bias', [8]);
  const { problems, stored } = checkTensors(llama, config, tensors);
  expect(problems.map(explainTensorProblem)).toEqual([
    'the tensor "model.layers.0.self_attn.q_proj.weight" is (8, 4); the model in config.json has it as (8, 8)',
    'the tensor "model.norm.weight" (8) is missing',
    'the tensor "model.norm.wieght" (8) is none of the model in config.json (it has no "model.norm.weight": is that meant?)',
    'the tensor "model.layers.0.self_attn.q_proj.bias" (8) is none of the model in config.json',
  ]);
  expect(stored.has('model.layers.0.self_attn.q_proj.weight')).toBe(false);
  expect(stored.size).toBe(tensors.size - 3);
});

test('both layouts of GPT-2 are read, one at a time; mask buffers and a copied head are ignored', () => {
  const config = gpt2.configure(small, tokens);
  const bare = [...shapes(gpt2, config)].map(
    ([name, shape]) => [name.replace('transformer.', ''), shape] as const,
  );
  const hub = [...bare, ['h.0.attn.bias', [1, 1, 32, 32]] as const, ['lm_head.weight', [50, 8]] as const];
  const checked = checkTensors(gpt2, config, hub);
  expect(checked.problems).toEqual([]);
  expect(checked.stored.get('transformer.h.0.attn.c_attn.bias')).toBe('h.0.attn.c_attn.bias');
  const both = checkTensors(gpt2, config, [...hub, ['transformer.wte.weight', [50, 8]]]);
  expect(both.problems.map(explainTensorProblem)).toEqual([
    'the tensors "wte.weight" and "transformer.wte.weight" stand for one weight',
  ]);
});

test('a bare Llama has no `model.` in its names, and old files hold frequencies', () => {
  const config = llama.configure(small, tokens);
  const bare = [...shapes(llama, config)].map(
    ([name, shape]) => [name.replace('model.', ''), shape] as const,
  );
  const { problems, stored, copy } = checkTensors(llama, config, [
    ...bare,
    ['layers.0.self_attn.rotary_emb.inv_freq', [2]],
  ]);
  expect(problems).toEqual([]);
  expect(stored.get('model.layers.0.mlp.up_proj.weight')).toBe('layers.0.mlp.up_proj.weight');
  expect(copy).toBeUndefined();
});

test('a tied output layer in the file is named, with the embedding that it must be', () => {
  const config = gpt2.configure(small, tokens);
  const copied = [...shapes(gpt2, config), ['lm_head.weight', [50, 8]] as const];
  expect(checkTensors(gpt2, config, copied).copy).toEqual(['lm_head.weight', 'transformer.wte.weight']);
  const own = gpt2.configure({ ...small, tied: false }, tokens);
  expect(checkTensors(gpt2, own, shapes(gpt2, own)).copy).toBeUndefined();
});
