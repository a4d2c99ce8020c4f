/** LoRA against PyTorch: logits, losses, gradients, start values, merging, dropout. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { maskName } from '../../src/runtime/methods/lora-rewrite.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { inputsOf, type Node, nodesOf, parametersOf } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { batchFeeds, forwardProgram, lossFeeds, lossProgram } from '../models/golden-programs.ts';
import { expectClose } from '../reference/close.ts';
import { type Golden, type GoldenName, goldenFile, goldenNames, readGolden } from '../reference/golden.ts';
import { vectors } from '../reference/rl-vectors.ts';
import { applied, bareStep, families } from '../rewrites/tiny-models.ts';
import { heads, run } from './programs.ts';
import { targetOf } from './targets.ts';

const LOGITS = { absolute: 2e-5 };
const GRADIENTS = { absolute: 5e-6, relative: 1e-4 };
const wholeTargets = { gpt2: ['qkv'], llama: ['q', 'v'], qwen2: ['q', 'v'] } as const;

const apply = (golden: Golden, options: Parameters<typeof lora.apply>[1]) =>
  lora.apply(targetOf(golden), options);

/** The golden adapter of the q and v columns, under our names. */
async function splitAdapter(): Promise<Map<string, Tensor>> {
  const tensors = await goldenFile('gpt2', 'lora_qv_split.safetensors');
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const [, block, target, part] = /^h\.(\d)\.([qv])\.(lora_[AB])$/.exec(name)!;
      return [`base_model.model.transformer.h.${block}.attn.c_attn.${target}.${part}.weight`, tensor];
    }),
  );
}

interface Case {
  readonly tag: string;
  readonly name: GoldenName;
  readonly targets: readonly string[];
  adapter(golden: Golden): Promise<ReadonlyMap<string, Tensor>>;
  goldenName(ours: string): string;
}

const cases: readonly Case[] = [
  ...goldenNames.map((name) => ({
    tag: 'lora',
    name,
    targets: wholeTargets[name],
    adapter: async (golden: Golden) => golden.adapter,
    goldenName: (ours: string) => ours,
  })),
  {
    tag: 'lora_qv_split',
    name: 'gpt2',
    targets: ['q', 'v'],
    adapter: splitAdapter,
    goldenName: (ours) =>
      ours.replace(/^base_model\.model\.transformer\.(.*)attn\.c_attn\.(.*)\.weight$/, '$1$2'),
  },
];

describe.each(cases)('$tag on $name', ({ tag, name, targets, adapter, goldenName }) => {
  test.each([reference, onnx])('logits, loss and gradients on $name', async (engine) => {
    const golden = await readGolden(name);
    const method = apply(golden, { r: 4, alpha: 8, targets });
    const added = await adapter(golden);
    expect(new Map(method.added.map((spec) => [spec.name, spec.shape]))).toEqual(
      new Map([...added].map(([key, tensor]) => [key, tensor.shape])),
    );
    const weights = [...golden.weights, ...added, ...heads(golden)];
    const forward = method.rewrite(forwardProgram(golden, 'a'));
    const { data } = (await run(forward, new Map([...batchFeeds(golden, 'a'), ...weights]), engine)).get(
      'logits',
    )!;
    expectClose(data, golden.expected(`${tag}.logits`).data, LOGITS, 'logits');
    const loss = method.rewrite(lossProgram(golden, 'a', false));
    const trained = differentiate(loss, { loss: 'loss', withRespectTo: method.trainable });
    const results = await run(trained, new Map([...lossFeeds(golden, 'a'), ...weights]), engine);
    expect(Math.abs(results.get('loss')!.data[0]! - golden.scalars[`${tag}.loss`]!)).toBeLessThan(2e-6);
    for (const tensor of method.trainable) {
      const expected = golden.gradient(`grad_${tag}.${goldenName(tensor)}`);
      expectClose(results.get(`grad:${tensor}`)!.data, expected.data, GRADIENTS, tensor);
    }
  });

  test('merged weights and exported tensors give the same logits', async () => {
    const golden = await readGolden(name);
    const method = apply(golden, { r: 4, alpha: 8, targets });
    const added = await adapter(golden);
    const merged = method.adapter!.merge(golden.weights, added);
    expect([...merged.keys()]).toEqual([...new Set(method.trainable.map(weightName))]);
    const feeds = [...batchFeeds(golden, 'a'), ...heads(golden)];
    const folded = await run(forwardProgram(golden, 'a'), new Map([...feeds, ...golden.weights, ...merged]));
    const expected = golden.expected(`${tag}.logits`).data;
    expectClose(folded.get('logits')!.data, expected, LOGITS, 'merged');
    // What PEFT would read: one adapter a module, at the rank and alpha that the config gives it.
    const exported = method.adapter!.export(added, golden.weights);
    const parts = exported.get([...exported.keys()][0]!)!.shape[0]! / 4;
    const whole = apply(golden, { r: 4 * parts, alpha: 8 * parts, targets: wholeTargets[name] });
    const feedsOut = new Map([...feeds, ...golden.weights, ...exported]);
    const reloaded = await run(whole.rewrite(forwardProgram(golden, 'a')), feedsOut);
    expectClose(reloaded.get('logits')!.data, expected, LOGITS, 'exported');
  });

  test('at the start it is the base model, bit for bit', async () => {
    const golden = await readGolden(name);
    const method = apply(golden, { r: 4, targets });
    const fresh = method.added.map(({ name: key, shape }): [string, Tensor] => {
      const data = new Float32Array(shape[0]! * shape[1]!).fill(key.includes('lora_A') ? 0.1 : 0);
      return [key, { dtype: 'f32', shape, data }];
    });
    const feeds = new Map([...batchFeeds(golden, 'a'), ...golden.weights, ...heads(golden), ...fresh]);
    const base = await run(forwardProgram(golden, 'a'), feeds);
    const adapted = await run(method.rewrite(forwardProgram(golden, 'a')), feeds);
    expect(adapted.get('logits')).toEqual(base.get('logits'));
  });
});

const weightName = (tensor: string) =>
  tensor.replace(/^base_model\.model\.(.*?)(\.[qkv])?\.lora_[AB]\.weight$/, '$1.weight');

test('start values: A uniform within 1 / √in, B zeros', async () => {
  const method = apply(await readGolden('llama'), { r: 2, targets: ['down'] });
  expect(method.added.slice(0, 2).map((spec) => spec.initializer)).toEqual([
    { kind: 'uniform', bound: 1 / Math.sqrt(88) },
    { kind: 'zeros' },
  ]);
});

test.each(vectors.lora as { alpha: number; scaling: number; name: string; [key: string]: unknown }[])(
  'merging one matrix: $name',
  (v) => {
    const matrix = (rows: unknown): Tensor => {
      const values = rows as number[][];
      return {
        dtype: 'f32',
        shape: [values.length, values[0]!.length],
        data: Float32Array.from(values.flat()),
      };
    };
    const [w, a, b] = [matrix(v.W_out_in), matrix(v.A_r_in), matrix(v.B_out_r)];
    const r = a.shape[0]!;
    const rslora = v.name.startsWith('rslora');
    const layer = {
      target: 'q',
      block: 0,
      weight: 'm.weight',
      inputs: w.shape[1]!,
      outputs: w.shape[0]!,
      layout: 'out,in',
    } as const;
    const target = { config: { model_type: 'test' }, parameters: [], linears: [layer], blocks: [] };
    if (r > Math.min(layer.inputs, layer.outputs)) {
      expect(() => lora.apply(target, { r })).toThrow('r=8 is larger than the matrix');
      return;
    }
    const alpha = v.scaling * (rslora ? Math.sqrt(r) : r);
    const method = lora.apply(target, { r, alpha, rslora, targets: ['q'] });
    const added = new Map([
      ['base_model.model.m.lora_A.weight', a],
      ['base_model.model.m.lora_B.weight', b],
    ]);
    const merged = method.adapter!.merge(new Map([['m.weight', w]]), added).get('m.weight')!;
    expectClose(merged.data, matrix(v.merged_W).data, { relative: 2e-6, absolute: 1e-6 });
  },
);

test('alpha is 2 r unless given; rslora divides by √r', async () => {
  const golden = await readGolden('llama');
  const scales = ([{ r: 4 }, { r: 4, alpha: 4 }, { r: 4, rslora: true }] as const).map((options) => {
    const method = apply(golden, { ...options, targets: ['q'] });
    const base = golden.weights.get('model.layers.0.self_attn.q_proj.weight')!;
    const one = (shape: readonly number[]): Tensor => {
      return { dtype: 'f32', shape, data: new Float32Array(shape[0]! * shape[1]!).fill(1) };
    };
    const added = new Map(method.added.map((spec) => [spec.name, one(spec.shape)]));
    const merged = method.adapter!.merge(golden.weights, added);
    const first = merged.get('model.layers.0.self_attn.q_proj.weight')!.data[0]!;
    return (first - base.data[0]!) / 4;
  });
  expectClose(scales, [2, 1, 4], { absolute: 1e-6 });
});

test('all: every linear layer, a fused one as a whole', async () => {
  const gpt2 = apply(await readGolden('gpt2'), { r: 2, targets: 'all' }).trainable.map(weightName);
  expect(new Set(gpt2.slice(0, 8))).toEqual(
    new Set(
      ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'].map((m) => `transformer.h.0.${m}.weight`),
    ),
  );
  expect(apply(await readGolden('llama'), { r: 2, targets: ['all'] }).trainable.length).toBe(2 * 2 * 7);
});

test('dropout acts on the input of A alone, through masks that are fed', async () => {
  const golden = await readGolden('llama');
  const method = apply(golden, { r: 4, alpha: 8, dropout: 0.5 });
  const program = method.rewrite(forwardProgram(golden, 'a'));
  const masks = inputsOf(program).filter((node) => node.attributes.name.startsWith('dropout.'));
  expect(masks.map((node) => node.attributes.name)).toEqual(method.dropout.map((mask) => mask.input));
  expect(method.dropout[0]).toEqual({
    input: maskName({ module: 'model.layers.0.self_attn.q_proj' } as Parameters<typeof maskName>[0]),
    probability: 0.5,
  });
  const feed = (value: number) =>
    masks.map((node): [string, Tensor] => {
      const data = new Float32Array(node.shape[0]! * node.shape[1]!).fill(value);
      return [node.attributes.name, { dtype: 'f32', shape: node.shape, data }];
    });
  const feeds = [...batchFeeds(golden, 'a'), ...golden.weights, ...golden.adapter, ...heads(golden)];
  const logits = async (value: number) =>
    (await run(program, new Map([...feeds, ...feed(value)]))).get('logits')!;
  expectClose((await logits(1)).data, golden.expected('lora.logits').data, LOGITS, 'all kept');
  expectClose((await logits(0)).data, golden.expected('a.logits').data, LOGITS, 'all dropped');
  const bare = method.rewrite(forwardProgram(golden, 'a'), { dropout: false });
  expect(inputsOf(bare).map((node) => node.attributes.name)).toEqual(['ids', 'positions', 'bias']);
  expect(parametersOf(bare).length).toBe(parametersOf(program).length);
});

test('an input of several adapted layers is multiplied once, forward and backward', () => {
  const [llama] = families;
  const method = applied(lora, llama!, { r: 2, targets: ['q', 'k', 'v', 'o'] });
  const step = differentiate(method.rewrite(bareStep(llama!, lora)), {
    loss: 'loss',
    withRespectTo: method.trainable,
  });
  const program = optimize(step);
  const joined = nodesOf(program).filter(
    (node) =>
      node.op === 'concat' &&
      node.inputs.every((x) => x.op === 'parameter' && /lora_A/.test(x.attributes.name)),
  );
  expect(joined.map(({ shape }) => shape)).toEqual([
    [6, 16],
    [6, 16],
    [6, 16],
  ]);
  const products = (a: Node) =>
    nodesOf(program).filter((node) => node.op === 'matmul' && node.inputs[1] === a);
  // Nothing below the first block is trained: no gradient for its input.
  expect(joined.map((a) => products(a).length)).toEqual([1, 2, 2]);
  const gradients = [...program.outputs].filter(([name]) => /grad:.*0.*[qkv]_proj.lora_A/.test(name));
  expect(new Set(gradients.map(([, node]) => node.op === 'slice' && node.inputs[0])).size).toBe(1);
});
