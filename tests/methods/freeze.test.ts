/** Which tensors freeze trains, and what of the backward pass is left. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { compile } from '../../src/compiler/compile.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { freeze } from '../../src/runtime/methods/freeze.ts';
import { full } from '../../src/runtime/methods/full.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import type { Method, MethodError } from '../../src/runtime/methods/method.ts';
import { nodesOf, parametersOf } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { lossProgram } from '../models/golden-programs.ts';
import { type Golden, type GoldenName, readGolden } from '../reference/golden.ts';
import { targetOf } from './targets.ts';

const trained = async (name: GoldenName, options: Record<string, Json>) =>
  freeze.apply(targetOf(await readGolden(name)), options).trainable;
const groups = (names: readonly string[]) => [...new Set(names.map((name) => /.*?\d+|.*/.exec(name)![0]))];

test('the last blocks and the final norm', async () => {
  expect(groups(await trained('gpt2', { layers: 1 }))).toEqual([
    'transformer.h.1',
    'transformer.ln_f.weight',
    'transformer.ln_f.bias',
  ]);
  expect(groups(await trained('llama', {}))).toEqual([
    'model.layers.0',
    'model.layers.1',
    'model.norm.weight',
  ]);
});

test('negative: the first blocks alone', async () => {
  expect(groups(await trained('llama', { layers: -1 }))).toEqual(['model.layers.0']);
});

test('parts of the chosen blocks, and of what stands outside them', async () => {
  expect(await trained('llama', { layers: 1, parts: ['attention'] })).toEqual(
    ['q', 'k', 'v', 'o'].map((x) => `model.layers.1.self_attn.${x}_proj.weight`),
  );
  expect(await trained('gpt2', { layers: 1, parts: ['mlp'] })).toEqual(
    ['c_fc.weight', 'c_fc.bias', 'c_proj.weight', 'c_proj.bias'].map((x) => `transformer.h.1.mlp.${x}`),
  );
  expect(await trained('qwen2', { layers: 1, parts: ['norms', 'embeddings'] })).toEqual([
    'model.embed_tokens.weight',
    'model.layers.1.input_layernorm.weight',
    'model.layers.1.post_attention_layernorm.weight',
    'model.norm.weight',
  ]);
  expect(await trained('llama', { layers: 0, parts: ['norms', 'head'] })).toEqual([
    'model.norm.weight',
    'lm_head.weight',
  ]);
  expect(await trained('gpt2', { layers: 0, parts: 'embeddings' })).toEqual([
    'transformer.wte.weight',
    'transformer.wpe.weight',
  ]);
  expect(await trained('llama', { layers: -1, parts: ['norms'] })).toEqual([
    'model.layers.0.input_layernorm.weight',
    'model.layers.0.post_attention_layernorm.weight',
  ]);
});

test('every weight belongs to one part: all blocks and all parts are full', async () => {
  const parts = ['attention', 'mlp', 'norms', 'embeddings', 'head'];
  expect(await trained('llama', { layers: 2, parts })).toEqual(
    full.apply(targetOf(await readGolden('llama')), {}).trainable,
  );
  expect(await trained('gpt2', { layers: 2, parts: parts.slice(0, 4) })).toEqual(
    full.apply(targetOf(await readGolden('gpt2')), {}).trainable,
  );
});

test('combinations that train nothing, and numbers of blocks that there are not', async () => {
  await expect(trained('llama', { layers: 0 })).rejects.toMatchObject({
    name: 'MethodError',
    option: 'layers',
    message: 'no block would be trained, and so no attention',
  });
  await expect(trained('llama', { layers: 0, parts: ['mlp', 'head'] })).rejects.toThrow('and so no mlp');
  await expect(trained('llama', { layers: -3 })).rejects.toThrow('the model has 2 blocks, not 3');
  await expect(trained('gpt2', { parts: ['head'] })).rejects.toMatchObject({
    option: 'parts',
    message: 'the head of this model is its token embedding',
  });
});

test.each([
  ['llama', 'norms,head'],
  ['gpt2', 'norms,embeddings'],
] as const)('what is proposed instead of no block of %s can be done', async (name, parts) => {
  const refused = await trained(name, { layers: 0 }).catch((error: MethodError) => error);
  expect(refused).toMatchObject({
    help: ['use a number other than 0', expect.stringContaining(`parts=${parts}`)],
  });
  for (const [, proposed] of String((refused as MethodError).help[1]).matchAll(/parts=([\w,]+)/g))
    expect((await trained(name, { layers: 0, parts: proposed!.split(',') })).length).toBeGreaterThan(0);
});

const problemsOf = (text: string) =>
  compile({ path: 'a.ftp', text }, { catalog }).diagnostics.map(({ name, message }) => [name, message]);

test.each([
  ['layers=2 parts=embeddings', 'embeddings'],
  ['parts=embeddings,head layers=-1', 'embeddings,head'],
])('blocks that no part is of are not chosen: freeze %s', (options, parts) => {
  expect(problemsOf(`pretrain → sft(freeze ${options})`)).toEqual([
    ['without-effect', `\`layers\` does nothing beside \`parts=${parts}\``],
  ]);
});

test('none of the blocks beside a part outside them, and no default of blocks there', () => {
  const text = 'pretrain → a: sft(freeze layers=0 parts=head) → b: sft(freeze parts=head) → c: sft(freeze)';
  const { graph, diagnostics } = compile({ path: 'a.ftp', text }, { catalog });
  expect(diagnostics).toEqual([]);
  expect(graph!.jobs.slice(1).map(({ method }) => method!.options)).toEqual([
    { parts: ['head'], layers: 0 },
    { parts: ['head'] },
    { parts: ['attention', 'mlp', 'norms'], layers: 2 },
  ]);
});

test('a part that is named twice', () => {
  expect(problemsOf('pretrain → sft(freeze parts=mlp,mlp)')).toEqual([
    ['duplicate-param', '`mlp` is given twice in `parts`'],
  ]);
});

test('full trains every tensor of the checkpoint', async () => {
  const golden = await readGolden('qwen2');
  expect(new Set(full.apply(targetOf(golden), {}).trainable)).toEqual(new Set(golden.weights.keys()));
});

/** The golden model with another number of blocks; its programs need no weights. */
const deeper = (golden: Golden, blocks: number): Golden => ({
  ...golden,
  config: { ...golden.config, [golden.name === 'gpt2' ? 'n_layer' : 'num_hidden_layers']: blocks },
});

describe.each(['llama', 'gpt2'] as const)('the backward pass of %s', (name) => {
  /** Nodes of the forward program, and how many its gradients add. */
  const count = async (method: Method, options: Record<string, Json>, blocks: number, optimized = false) => {
    const golden = deeper(await readGolden(name), blocks);
    const applied = method.apply(targetOf(golden), options);
    const forward = applied.rewrite(lossProgram(golden, 'a', false));
    const wanted = { loss: 'loss', withRespectTo: applied.trainable };
    const both = differentiate(forward, wanted);
    const nodes = (program: typeof both) => nodesOf(optimized ? optimize(program) : program).length;
    return { forward: nodes(forward), backward: nodes(both) - nodes(forward), both };
  };

  test.each([false, true])('a frozen block below adds nothing to it (optimized: %s)', async (optimized) => {
    for (const [method, options] of [
      [freeze, { layers: 1 }],
      [freeze, { layers: 1, parts: ['mlp'] }],
      [lora, { r: 2, targets: ['all'], layers: 1 }],
    ] as const) {
      const two = await count(method, options, 2, optimized);
      const five = await count(method, options, 5, optimized);
      expect(five.forward).toBeGreaterThan(two.forward);
      expect(five.backward).toBe(two.backward);
    }
    // Trained from the first block on, every block has its share.
    const [shallow, deep] = [await count(full, {}, 2), await count(full, {}, 5)];
    expect(deep.backward).toBeGreaterThan(2 * shallow.backward);
  });

  test('reads no weight of a block below: each is read once, by the forward pass', async () => {
    const { both } = await count(freeze, { layers: 1 }, 3);
    const below = parametersOf(both).filter((node) => /\.(h|layers)\.[01]\./.test(node.attributes.name));
    expect(below.length).toBeGreaterThan(10);
    const reads = nodesOf(both).flatMap((node) => node.inputs.filter((x) => below.some((b) => b === x)));
    expect(reads.length).toBe(below.length);
  });
});
