/** What the options of lora mean, and which do not go together. */
import { expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { compile } from '../../src/compiler/compile.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { mergePeft } from '../../src/runtime/methods/merge-peft.ts';
import type { MethodError } from '../../src/runtime/methods/method.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import { expectClose } from '../reference/close.ts';
import { type GoldenName, readGolden } from '../reference/golden.ts';
import { targetOf } from './targets.ts';

const apply = async (name: GoldenName, options: Record<string, Json>) =>
  lora.apply(targetOf(await readGolden(name)), options);
const refused = async (name: GoldenName, options: Record<string, Json>) => {
  const error = await apply(name, options).then(
    () => undefined,
    (caught) => caught as MethodError,
  );
  return error && { name: error.name, option: error.option, message: error.message, help: error.help };
};
/** Rank of A by module. */
const ranks = (method: Awaited<ReturnType<typeof apply>>) =>
  Object.fromEntries(
    method.added.flatMap(({ name, shape }) => {
      const match = /^base_model\.model\.(.*)\.lora_(embedding_)?A/.exec(name);
      return match ? [[match[1]!, shape[0]]] : [];
    }),
  );

test('a rank for every target; the narrower target decides', async () => {
  const config = { targets: ['all', 'v'], ranks: [2, 5] };
  const method = await apply('llama', config);
  expect(ranks(method)).toMatchObject({
    'model.layers.0.self_attn.q_proj': 2,
    'model.layers.0.self_attn.v_proj': 5,
    'model.layers.1.mlp.down_proj': 2,
  });
  // Alpha follows each rank.
  expect(method.adapter!.config).toMatchObject({
    r: 2,
    lora_alpha: 4,
    rank_pattern: { v_proj: 5 },
    alpha_pattern: { v_proj: 10 },
  });
  const fixed = await apply('llama', { ...config, alpha: 8 });
  expect(fixed.adapter!.config).toMatchObject({
    lora_alpha: 8,
    rank_pattern: { v_proj: 5 },
    alpha_pattern: {},
  });
});

test('modules of one name and two ranks get longer names', async () => {
  const { adapter } = await apply('gpt2', { targets: ['o', 'down'], ranks: [2, 3] });
  expect(adapter!.config).toMatchObject({
    r: 2,
    target_modules: ['attn.c_proj', 'mlp.c_proj'],
    rank_pattern: { 'mlp.c_proj': 3 },
    alpha_pattern: { 'mlp.c_proj': 6 },
  });
});

test('adapters of some blocks only', async () => {
  const last = await apply('llama', { targets: ['q'], layers: 1 });
  expect(Object.keys(ranks(last))).toEqual(['model.layers.1.self_attn.q_proj']);
  expect(last.adapter!.config.target_modules).toEqual(['1.self_attn.q_proj']);
  const first = await apply('gpt2', { targets: ['q', 'up'], layers: -1, r: 2 });
  expect(Object.keys(ranks(first))).toEqual(['transformer.h.0.attn.c_attn.q', 'transformer.h.0.mlp.c_fc']);
  expect(first.adapter!.config.target_modules).toEqual(['0.attn.c_attn', '0.mlp.c_fc']);
});

test('start values: gaussian, and those of an embedding', async () => {
  const { added } = await apply('llama', { r: 4, targets: ['q', 'embed', 'head'], init: 'gaussian' });
  const start = Object.fromEntries(
    added.map((spec) => [spec.name.replace('base_model.model.', ''), spec.initializer]),
  );
  expect(start).toMatchObject({
    'model.embed_tokens.lora_embedding_A': { kind: 'zeros' },
    'model.embed_tokens.lora_embedding_B': { kind: 'normal', std: 1 },
    'model.layers.0.self_attn.q_proj.lora_A.weight': { kind: 'normal', std: 1 / 4 },
    'model.layers.0.self_attn.q_proj.lora_B.weight': { kind: 'zeros' },
    'lm_head.lora_A.weight': { kind: 'normal', std: 1 / 4 },
  });
});

test('dropout has a mask for every product, none for tables', async () => {
  const { dropout } = await apply('llama', {
    r: 2,
    targets: ['q', 'embed', 'head'],
    dropout: 0.1,
    layers: 1,
  });
  expect(dropout).toEqual([{ input: 'dropout.model.layers.1.self_attn.q_proj', probability: 0.1 }]);
});

test.each([
  // Hu et al. (2021) section 5 and table 2; LLaMA-7B has 6,738,415,616 weights.
  ['LLaMA-7B, r=8', llama, { layers: 32, width: 4096, heads: 32, mlp: 11_008, tied: false }, 8, 4_194_304],
  ['GPT-2 medium, r=4', gpt2, { layers: 24, width: 1024, heads: 16 }, 4, 393_216],
  ['GPT-3, r=4', gpt2, { layers: 96, width: 12_288, heads: 96 }, 4, 18_874_368],
] as const)('numbers that are trained on q and v: %s', (_, family, options, r, expected) => {
  const config = family.configure(options, { vocabularySize: 32_000, eos: 0, pad: 0 });
  const target = {
    config,
    parameters: family.parameters(config),
    linears: family.linears(config),
    blocks: family.blocks(config),
  };
  const { added } = lora.apply(target, { r, targets: ['q', 'v'] });
  const count = added.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  expect(count).toBe(expected);
  // One matrix of 4096 × 4096 with r=8: 65,536 numbers, 1/256 of it.
  if (family === llama) expect([count / 64, 4096 ** 2 / (count / 64)]).toEqual([65_536, 256]);
});

test('what does not fit the model', async () => {
  expect(await refused('gpt2', { targets: ['gate'] })).toEqual({
    name: 'MethodError',
    option: 'targets',
    message: 'the model has no layer `gate`',
    help: ['it has q, k, v, o, up, down, qkv, all, embed'],
  });
  expect(await refused('llama', { r: 17, targets: ['v'] })).toEqual({
    name: 'MethodError',
    option: 'r',
    message: 'r=17 is larger than the matrix it adapts: model.layers.0.self_attn.v_proj.weight is 16 × 32',
    help: ['use r=16 or less'],
  });
});

test('what does not go together', async () => {
  expect(await refused('llama', { targets: ['q', 'v'], ranks: [4] })).toEqual({
    name: 'MethodError',
    option: 'ranks',
    message: 'there are 2 targets and 1 ranks',
    help: ['give one rank a target, in this order: q, v'],
  });
  expect(await refused('llama', { targets: ['q', 'v'], ranks: [4, 17] })).toMatchObject({ option: 'ranks' });
  expect(await refused('gpt2', { targets: ['head'] })).toMatchObject({
    option: 'targets',
    message: 'the output layer of this model is its token embedding',
    help: ['write `embed`, which adapts both'],
  });
  expect(await refused('qwen2', { targets: ['embed'], dora: true })).toMatchObject({ option: 'dora' });
  expect(await refused('gpt2', { targets: ['all', 'q'], ranks: [2, 4] })).toMatchObject({
    option: 'ranks',
    message:
      'transformer.h.0.attn.c_attn.weight holds q, k and v as one matrix: `all` gives it rank 2, `q` rank 4',
  });
  expect(await refused('llama', { layers: 3 })).toMatchObject({ option: 'layers' });
});

test('r beside ranks does nothing, and is refused', () => {
  const text = 'pretrain → sft(lora r=8 targets=q,v ranks=4,2)';
  const { diagnostics } = compile({ path: 'a.ftp', text }, { catalog });
  expect(diagnostics.map(({ name, message }) => [name, message])).toEqual([
    ['without-effect', '`r` does nothing beside `ranks`'],
  ]);
  const { graph } = compile({ path: 'a.ftp', text: text.replace('r=8 ', '') }, { catalog });
  expect(graph!.jobs[1]!.method!.options).toEqual({
    targets: ['q', 'v'],
    ranks: [4, 2],
    dropout: 0,
    rslora: false,
    dora: false,
    init: 'kaiming',
  });
});

const problemsOf = (text: string) =>
  compile({ path: 'a.ftp', text }, { catalog }).diagnostics.map(({ name, message }) => [name, message]);

test.each([
  ['lora targets=embed layers=1', 'layers', 'embed'],
  ['qlora targets=head,embed layers=-1', 'layers', 'head,embed'],
  ['lora targets=embed init=gaussian', 'init', 'embed'],
  ['lora targets=embed,head dropout=0.5', 'dropout', 'embed,head'],
])(
  '%s: embedding and output layer are in no block, and have fixed starts and inputs',
  (method, name, targets) => {
    expect(problemsOf(`pretrain → sft(${method})`)).toEqual([
      ['without-effect', `\`${name}\` does nothing beside \`targets=${targets}\``],
    ]);
  },
);

test.each([
  'lora targets=embed,q layers=1 dropout=0.5 init=gaussian',
  'lora targets=head init=pissa dropout=0',
  'lora targets=embed ranks=4',
])('%s does what it says', (method) => {
  expect(problemsOf(`pretrain → sft(${method})`)).toEqual([]);
});

test.each([
  ['lora targets=q_proj', 'did you mean `q`?'],
  ['qlora targets=q,c_attn', 'did you mean `qkv`?'],
  ['lora targets=all-linear', 'did you mean `all`?'],
  ['freeze parts=attn', 'did you mean `attention`?'],
  ['lora r=4 quant=nf4', '`quant` is a parameter of `qlora`: write that in place of `lora`'],
  ['full layers=1', '`layers` is a parameter of `freeze`, `lora` or `qlora`: write that in place of `full`'],
])('what was meant by %s', (method, help) => {
  const { diagnostics } = compile({ path: 'a.ftp', text: `pretrain → sft(${method})` }, { catalog });
  expect(diagnostics.map((one) => one.help)).toEqual([[help]]);
});

test('a name of two targets, and an option that no method has with what is written, propose nothing', () => {
  for (const method of ['lora targets=c_proj', 'lora r=4 parts=mlp']) {
    const { diagnostics } = compile({ path: 'a.ftp', text: `pretrain → sft(${method})` }, { catalog });
    expect(diagnostics.map((one) => one.help)).toEqual([[]]);
  }
});

test('a target that is named twice; the fix leaves ranks alone', () => {
  const found = (method: string) =>
    compile({ path: 'a.ftp', text: `pretrain → sft(${method})` }, { catalog }).diagnostics;
  const [alone] = found('lora targets=q,v,q');
  expect(alone).toMatchObject({ name: 'duplicate-param', message: '`q` is given twice in `targets`' });
  expect(alone!.fix!.edits).toMatchObject([{ text: '' }]);
  const [paired, ...others] = found('lora ranks=4,4 targets=q,q');
  expect(paired).toMatchObject({ name: 'duplicate-param' });
  expect([paired!.fix, others]).toEqual([undefined, []]);
});

test('an adapter that stands on a base which PEFT changed is not taken for one on the base', async () => {
  const golden = await readGolden('llama');
  const config = { r: 4, lora_alpha: 8, init_lora_weights: 'pissa' };
  expect(() => mergePeft(golden.weights, golden.adapter, config, new Set())).toThrow(
    'init_lora_weights="pissa", which changes the base; save it with PEFT\'s path_initial_model_for_weight_conversion',
  );
});

test.each([
  ['llama', ['q', 'v'], ['q_proj', 'v_proj'], false],
  ['gpt2', ['qkv'], ['c_attn'], true],
] as const)("PEFT's config of the golden adapter of %s", async (name, targets, modules, fan) => {
  const { adapter } = await apply(name, { r: 4, alpha: 8, targets });
  expect(adapter!.config).toMatchObject({
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: 4,
    lora_alpha: 8,
    target_modules: modules,
    fan_in_fan_out: fan,
    rank_pattern: {},
  });
});

test('slices of a fused weight get a rank and an alpha of their own; ambiguous modules get longer names', async () => {
  const { adapter } = await apply('gpt2', { r: 4, targets: ['q', 'v', 'o'] });
  expect(adapter!.config).toMatchObject({
    r: 4,
    lora_alpha: 8,
    target_modules: ['c_attn', 'attn.c_proj'],
    rank_pattern: { c_attn: 8 },
    alpha_pattern: { c_attn: 16 },
  });
  const { config } = (await apply('gpt2', { r: 4, targets: ['q', 'v'], rslora: true })).adapter!;
  expect(config).toMatchObject({ r: 8, rank_pattern: {}, alpha_pattern: {} });
  expectClose([Number(config.lora_alpha)], [8 * Math.SQRT2], { absolute: 1e-12 });
});
