/** Adapters on columns of GPT-2's fused weight, with ranks, lengths and start values of their own. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { mergePeft } from '../../src/runtime/methods/merge-peft.ts';
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { random } from '../../src/runtime/random/random.ts';
import { expectClose } from '../reference/close.ts';
import { type Golden, readGolden } from '../reference/golden.ts';
import { gradientsOf, logitsOf } from './programs.ts';
import { targetOf } from './targets.ts';

const FUSED = 'transformer.h.0.attn.c_attn';
const ADAPTER = `base_model.model.${FUSED}`;

const cases: Record<string, Record<string, Json>> = {
  dora: { r: 4, targets: ['q', 'v'], dora: true },
  pissa: { r: 4, targets: ['q', 'v'], init: 'pissa' },
  'pissa and dora': { r: 3, targets: ['k', 'o'], init: 'pissa', dora: true, rslora: true },
  'ranks and scales': { ranks: [6, 2], targets: ['q', 'v'], alpha: 5 },
  'scales of rslora': { ranks: [2, 6], targets: ['q', 'v'], rslora: true },
};

/** Start values moved by noise. */
function trained(method: AppliedMethod, { weights }: Golden): Map<string, Tensor> {
  const start = method.start!(weights);
  return new Map(
    method.added.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from(start.get(name)?.data ?? new Float32Array(size));
      const stream = random(5, name);
      if (method.trainable.includes(name)) data.set(data.map((x) => x + 0.1 * stream.normal()));
      return [name, { dtype: 'f32', shape, data }];
    }),
  );
}

describe.each(Object.keys(cases))('%s', (name) => {
  test('beside the base, merged, and read again are one model; the base stays as it is', async () => {
    const golden = await readGolden('gpt2');
    const method = lora.apply(targetOf(golden), cases[name]!);
    const added = trained(method, golden);
    const before = new Map([...golden.weights].map(([key, { data }]) => [key, data.slice()]));
    const beside = await logitsOf(golden, added, { method });
    const merged = method.adapter!.merge(golden.weights, added);
    const folded = await logitsOf(golden, merged);
    expectClose(folded, beside, { absolute: 2e-5, relative: 1e-5 });
    // Far enough from the base for this to say something.
    const base = golden.expected('a.logits').data;
    expect(Math.max(...beside.map((x, i) => Math.abs(x - base[i]!)))).toBeGreaterThan(0.1);
    // Unmerging is letting go of the merged copies: the base has its bits.
    for (const [key, { data }] of golden.weights) expect(data, key).toEqual(before.get(key));
    const exported = method.adapter!.export(added, golden.weights);
    const turned = new Set(golden.family.linears(golden.config).map((layer) => layer.weight));
    const config = JSON.parse(JSON.stringify(method.adapter!.config));
    expect(mergePeft(golden.weights, exported, config, turned)).toEqual(merged);
  });

  test('gradients are slopes of the loss', async () => {
    const golden = await readGolden('gpt2');
    const method = lora.apply(targetOf(golden), cases[name]!);
    const added = trained(method, golden);
    const { gradients } = await gradientsOf(golden, method, added, { engine: reference });
    const stream = random(9, name);
    // The lengths that DoRA divides by take no gradient: with it only the trained lengths have true slopes.
    const names = method.trainable.filter(
      (key) => cases[name]!.dora !== true || key.endsWith('magnitude_vector'),
    );
    for (const key of names.slice(0, 4)) {
      const { data } = added.get(key)!;
      const at = stream.integer(data.length);
      const kept = data[at]!;
      const lossAt = async (value: number) => {
        data[at] = value;
        return (await gradientsOf(golden, method, added, { engine: reference })).loss;
      };
      const step = 2 ** -6;
      const slope = ((await lossAt(kept + step)) - (await lossAt(kept - step))) / (2 * step);
      data[at] = kept;
      expectClose([gradients.get(key)![at]!], [slope], { absolute: 2e-4, relative: 2e-2 }, key);
    }
  });
});

test('the lengths of columns that are not adapted are exported as they are in the base', async () => {
  const golden = await readGolden('gpt2');
  const method = lora.apply(targetOf(golden), cases.dora!);
  const exported = method.adapter!.export(trained(method, golden), golden.weights);
  const { data } = golden.weights.get(`${FUSED}.weight`)!;
  const lengths = Array.from({ length: 96 }, (_, o) => {
    let sum = 0;
    for (let i = 0; i < 32; i++) sum += data[i * 96 + o]! ** 2;
    return Math.sqrt(sum);
  });
  const stored = exported.get(`${ADAPTER}.lora_magnitude_vector`)!;
  expect(stored.shape).toEqual([96]);
  expectClose(stored.data.slice(32, 64), lengths.slice(32, 64), { relative: 1e-6 });
  expect(Math.max(...lengths.map((x, o) => Math.abs(x - stored.data[o]!)))).toBeGreaterThan(0.01);
});

test('slices of different ranks and scales are one adapter of their summed rank', async () => {
  const golden = await readGolden('gpt2');
  const method = lora.apply(targetOf(golden), { ranks: [6, 2, 2], targets: ['q', 'v', 'up'], alpha: 6 });
  const added = trained(method, golden);
  const exported = method.adapter!.export(added, golden.weights);
  // q has scale 1, v has 3: v's block of B carries the ratio.
  expect(method.adapter!.config).toMatchObject({
    r: 2,
    lora_alpha: 6,
    target_modules: ['c_attn', 'c_fc'],
    rank_pattern: { c_attn: 8 },
    alpha_pattern: { c_attn: 8 },
  });
  const b = exported.get(`${ADAPTER}.lora_B.weight`)!;
  expect(b.shape).toEqual([96, 8]);
  const row = (o: number) => [...b.data.slice(o * 8, o * 8 + 8)];
  const q = added.get(`${ADAPTER}.q.lora_B.weight`)!.data;
  const v = added.get(`${ADAPTER}.v.lora_B.weight`)!.data;
  expect(row(0)).toEqual([...q.slice(0, 6), 0, 0]);
  expect(row(40)).toEqual(new Array(8).fill(0));
  expectClose(row(64), [0, 0, 0, 0, 0, 0, 3 * v[0]!, 3 * v[1]!], { absolute: 1e-6 });
});
