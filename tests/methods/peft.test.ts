/** DoRA, PiSSA, embeddings, ranks: adapters that PEFT made, computed with, written and read as PEFT does. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { mergePeft } from '../../src/runtime/methods/merge-peft.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { expectClose } from '../reference/close.ts';
import { type Golden, type GoldenName, readGolden } from '../reference/golden.ts';
import { type PeftReference, readPeft } from '../reference/peft.ts';
import { gradientsOf, logitsOf } from './programs.ts';
import { targetOf } from './targets.ts';

const LOGITS = { absolute: 2e-5, relative: 1e-5 };
const GRADIENTS = { absolute: 1e-5, relative: 1e-4 };

const whole: Record<string, Json> = { r: 4, alpha: 8 };
const cases: Record<string, Record<string, Json>> = {
  'llama-dora': { ...whole, targets: ['q', 'v'], dora: true },
  'gpt2-dora': { ...whole, targets: ['qkv'], dora: true },
  'llama-dora-dropout': { ...whole, targets: ['q', 'v'], dora: true, dropout: 0.5 },
  'gpt2-dora-dropout': { ...whole, targets: ['qkv'], dora: true, dropout: 0.5 },
  'llama-pissa': { ...whole, targets: ['q', 'v'], init: 'pissa' },
  'gpt2-pissa': { ...whole, targets: ['qkv'], init: 'pissa' },
  'llama-pissa-dora': { ...whole, targets: ['q', 'v'], init: 'pissa', dora: true, rslora: true },
  'llama-embed': { ...whole, targets: ['q', 'embed'] },
  'llama-embed-head-dora': { ...whole, targets: ['embed', 'head'], dora: true },
  'gpt2-embed-tied': { ...whole, targets: ['qkv', 'embed'] },
  'qwen2-embed-tied': { ...whole, targets: ['embed'] },
  'llama-ranks': { targets: ['q', 'v', 'down'], ranks: [6, 2, 3] },
};

/** PEFT's conversion of PiSSA forgets DoRA's lengths: its file is no adapter of the trained model. */
const broken = 'llama-pissa-dora';

interface Setup {
  readonly golden: Golden;
  readonly peft: PeftReference;
  readonly method: ReturnType<typeof lora.apply>;
  /** PEFT's trained values under our names. */
  readonly added: Map<string, Tensor>;
}

async function setup(folder: string): Promise<Setup> {
  const golden = await readGolden(folder.split('-')[0] as GoldenName);
  const peft = await readPeft(folder);
  const method = lora.apply(targetOf(golden), cases[folder]!);
  const isPissa = cases[folder]!.init === 'pissa';
  const trained = isPissa ? peft.expected('trained.') : peft.adapter;
  const start = peft.expected('start.');
  const added = new Map(
    method.added.map(({ name, shape }): [string, Tensor] => {
      const from = name.includes('.pissa_') ? start : trained;
      const theirs = name.replace('.pissa_', '.lora_');
      const tensor = from.get(theirs) ?? from.get(`${theirs}.weight`);
      expect(tensor?.shape, name).toEqual(shape);
      return [name, tensor!];
    }),
  );
  return { golden, peft, method, added };
}

/** Weights that are stored (in, out). */
const turned = ({ family, config }: Golden) =>
  new Set(family.linears(config).flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])));

/** A pair's product, which does not depend on the signs of singular vectors: (out, in). */
function product(tensors: ReadonlyMap<string, Tensor>, a: string): Float32Array {
  const down = tensors.get(a)!;
  const up = tensors.get(a.replace(/_A\b/, '_B'))!;
  const [r, inputs] = down.shape as [number, number];
  return Float32Array.from({ length: up.shape[0]! * inputs }, (_, at) => {
    const [o, i] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let k = 0; k < r; k++) sum += up.data[o * r + k]! * down.data[k * inputs + i]!;
    return sum;
  });
}

describe.each(Object.keys(cases))('%s', (folder) => {
  const hasMasks = cases[folder]!.dropout !== undefined;

  test.each([reference, onnx])('loss and gradients on $name', async (engine) => {
    const { golden, peft, method, added } = await setup(folder);
    const masks = new Map([...peft.expected('mask.')].map(([name, mask]) => [`dropout.${name}`, mask]));
    expect([...masks.keys()].sort()).toEqual(method.dropout.map((mask) => mask.input).sort());
    const { loss, gradients } = await gradientsOf(golden, method, added, { engine, masks });
    expectClose([loss], peft.expected('loss').get('')!.data, { absolute: 5e-6 }, 'loss');
    const expected = peft.expected('grad.');
    for (const [name, gradient] of gradients) {
      const theirs = (expected.get(name) ?? expected.get(`${name}.weight`))!.data;
      expectClose(
        gradient,
        Float32Array.from(theirs, (x, i) => x + tied(expected, name, i)),
        GRADIENTS,
        name,
      );
    }
  });

  // Behind known dropout masks only the losses are compared.
  if (!hasMasks)
    test('logits beside the base, merged, and read from what PEFT wrote', async () => {
      const { golden, peft, method, added } = await setup(folder);
      const expected = peft.expected('logits').get('')!.data;
      expectClose(await logitsOf(golden, added, { method }), expected, LOGITS, 'beside');
      expectClose(
        await logitsOf(golden, added, { method, engine: reference }),
        expected,
        LOGITS,
        'reference',
      );
      const merged = method.adapter!.merge(golden.weights, added);
      expectClose(await logitsOf(golden, merged), expected, LOGITS, 'merged');
      if (folder === broken) return;
      const read = mergePeft(golden.weights, peft.adapter, peft.config, turned(golden));
      expectClose(await logitsOf(golden, read), expected, LOGITS, 'read');
      expect([...read.keys()].sort()).toEqual([...merged.keys()].sort());
    });

  test('what is exported is what PEFT writes', async () => {
    const { golden, peft, method, added } = await setup(folder);
    const exported = method.adapter!.export(added, golden.weights);
    const theirs = new Map([...peft.adapter].filter(([name]) => !name.endsWith('.base_layer.weight')));
    if (folder === broken)
      for (const [name, tensor] of added) if (name.endsWith('magnitude_vector')) theirs.set(name, tensor);
    expect([...exported.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, tensor] of exported) {
      expect(tensor.shape, name).toEqual(theirs.get(name)!.shape);
      expectClose(tensor.data, theirs.get(name)!.data, { absolute: 1e-6 }, name);
    }
    const config = JSON.parse(JSON.stringify(method.adapter!.config));
    for (const key of ['peft_type', 'task_type', 'r', 'use_rslora', 'use_dora', 'bias'])
      expect(config[key], key).toEqual(peft.config[key]);
    expect(config.lora_dropout).toBe(peft.config.lora_dropout);
    expect(config.init_lora_weights).toBe(true);
    expectClose([config.lora_alpha], [Number(peft.config.lora_alpha)], { relative: 1e-12 });
    expect(config.rank_pattern).toEqual(peft.config.rank_pattern);
    expect(config.alpha_pattern).toEqual(peft.config.alpha_pattern);
    // Reopened, it is the same model bit for bit.
    const merged = method.adapter!.merge(golden.weights, added);
    expect(mergePeft(golden.weights, exported, config, turned(golden))).toEqual(merged);
  });

  test('starts as PEFT does, and from the base model', async () => {
    const { golden, peft, method } = await setup(folder);
    const values = method.start!(golden.weights);
    for (const [name, theirs] of peft.expected('start.')) {
      const ours = name.replace(/magnitude_vector\.weight$/, 'magnitude_vector');
      if (!name.includes('lora_B') && values.has(ours)) {
        const isPair = name.includes('lora_A');
        const [a, b] = isPair
          ? [product(values, name), product(peft.expected('start.'), name)]
          : [values.get(ours)!.data, theirs.data];
        expectClose(a, b, { absolute: 2e-6, relative: 1e-5 }, name);
      }
    }
    const added = new Map(
      method.added.map(({ name, shape }): [string, Tensor] => {
        const fresh = new Float32Array(shape.reduce((a, b) => a * b, 1));
        // One of each pair is random, the other zero.
        if (/lora_A|lora_embedding_B/.test(name)) fresh.set(fresh.map((_, i) => Math.sin(i + 1)));
        return [name, values.get(name) ?? { dtype: 'f32', shape, data: fresh }];
      }),
    );
    const base = golden.expected('a.logits').data;
    expectClose(await logitsOf(golden, added, { method }), base, LOGITS, 'at the start');
    const merged = method.adapter!.merge(golden.weights, added);
    for (const [name, tensor] of merged)
      expectClose(tensor.data, golden.weights.get(name)!.data, { absolute: 1e-6, relative: 1e-6 }, name);
  });
});

/** PEFT keeps a tied embedding's adapter twice: what its copy for the output layer adds to a gradient. */
function tied(gradients: ReadonlyMap<string, Tensor>, name: string, at: number): number {
  const match = /lora_embedding_([AB])$/.exec(name);
  const copy = match && gradients.get(`base_model.model.lm_head.lora_${match[1] === 'A' ? 'B' : 'A'}.weight`);
  if (!copy || [...gradients.keys()].some((key) => key.includes('magnitude'))) return 0;
  const [rows, columns] = copy.shape as [number, number];
  return copy.data[(at % rows) * columns + Math.floor(at / rows)]!;
}
