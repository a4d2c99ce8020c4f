/** Methods on published families: adapters as PEFT computes them, quantized bases, blocks computed again, frozen prefixes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { methods, models } from '../../src/runtime/catalog.ts';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { mergePeft } from '../../src/runtime/methods/merge-peft.ts';
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import { openConfig } from '../../src/runtime/models/open-config.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Program, parametersOf } from '../../src/runtime/programs/program.ts';
import { dequantize } from '../../src/runtime/quantization/dequantize.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { quantizedParameters } from '../../src/runtime/quantization/quantized-parameters.ts';
import { frozenEdge, PREFIX, prefixOf, suffixOf } from '../../src/runtime/rewrites/cut-prefix.ts';
import { finishProgram } from '../../src/runtime/run/program-passes.ts';
import { expectClose } from '../reference/close.ts';
import { type PublishedModel, readPublished } from '../reference/published-models.ts';
import { modelMemory } from '../run/model-memory.ts';
import { logitsFeeds, logitsProgram, lossFeeds, lossProgram } from './published-programs.ts';

type Tensors = Map<string, Tensor>;
const LOGITS = { absolute: 2e-5, relative: 1e-5 };
const GRADIENTS = { absolute: 1e-5, relative: 1e-4 };
const names = ['llama-bias', 'mistral-window', 'qwen2-window', 'qwen3-window', 'gpt2-scaled'];
const everyLayer = { r: 2, alpha: 6, targets: ['all'] };

const targetOf = ({ family, config }: Pick<PublishedModel, 'family' | 'config'>) => ({
  config,
  parameters: family.parameters(config),
  linears: family.linears(config),
  blocks: family.blocks(config),
});

const apply = (
  method: string,
  model: Pick<PublishedModel, 'family' | 'config'>,
  options: Record<string, Json>,
) => methods[method]!.apply(targetOf(model), options);

async function run(
  program: Program,
  feeds: ReadonlyMap<string, Tensor>,
  engine: Executable = onnx,
  frozen?: Tensors,
) {
  const executor = await engine.load(program, frozen && { frozen });
  const results = await executor.run(feeds);
  await executor.dispose();
  return results;
}

async function peftOf(name: string) {
  const file = (path: string) =>
    fileURLToPath(new URL(`../reference/models/${name}/adapter/${path}`, import.meta.url));
  return {
    adapter: await readSafetensors(file('adapter_model.safetensors')),
    expected: await readSafetensors(file('expected.safetensors')),
    settings: JSON.parse(readFileSync(file('adapter_config.json'), 'utf8')) as Record<string, Json>,
  };
}

/** The linear weights in codes, and the values that they stand for. */
function inCodes({ weights }: PublishedModel, { quantized }: AppliedMethod) {
  const codes: Tensors = new Map();
  const values: Tensors = new Map(weights);
  for (const [name, format] of quantized!) {
    const { shape, data } = weights.get(name)!;
    const value = quantize({ shape, data: data as Float32Array }, format, name);
    for (const [part, tensor] of quantizedParameters(name, value)) codes.set(part, tensor);
    values.set(name, { dtype: 'f32', shape, data: dequantize(value) });
  }
  for (const [name, tensor] of weights) if (!quantized!.has(name)) codes.set(name, tensor);
  return { codes, values };
}

describe.each(names)('%s', (name) => {
  test.each([reference, onnx])('an adapter on every layer, as PEFT computes it, on $name', async (engine) => {
    const model = await readPublished(name);
    const { adapter, expected } = await peftOf(name);
    const method = apply('lora', model, everyLayer);
    expect(method.added.map(({ name, shape }) => [name, shape])).toEqual(
      method.added.map(({ name }) => [name, adapter.get(name)?.shape]),
    );
    expect(method.added.length).toBe(adapter.size);
    const weights = [...model.weights, ...adapter];
    const logits = finishProgram(() => logitsProgram(model, 1), { adapt: method });
    const answered = await run(logits, new Map([...weights, ...logitsFeeds(model, 'a')]), engine);
    expectClose(answered.get('logits')!.data, expected.get('logits')!.data, LOGITS, 'logits');
    const training = { adapt: method, trainable: method.trainable };
    const step = finishProgram(() => lossProgram(model), training);
    const learnt = await run(step, new Map([...weights, ...lossFeeds(model)]), engine);
    expectClose(learnt.get('loss')!.data, expected.get('loss')!.data, { absolute: 2e-6 }, 'loss');
    for (const added of method.trainable)
      expectClose(learnt.get(`grad:${added}`)!.data, expected.get(`grad.${added}`)!.data, GRADIENTS, added);
  });

  test('the adapter folded in, and exported again', async () => {
    const model = await readPublished(name);
    const { adapter, expected, settings } = await peftOf(name);
    const turned = new Set(
      model.family
        .linears(model.config)
        .flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])),
    );
    const merged = new Map([...model.weights, ...mergePeft(model.weights, adapter, settings, turned)]);
    const program = finishProgram(() => logitsProgram(model, 1));
    const { data } = (await run(program, new Map([...merged, ...logitsFeeds(model, 'a')]))).get('logits')!;
    expectClose(data, expected.get('logits')!.data, LOGITS, 'merged');
    const { adapter: written } = apply('lora', model, everyLayer);
    const exported = written!.export(adapter, model.weights);
    expect([...exported.keys()].sort()).toEqual([...adapter.keys()].sort());
    expect(written!.config).toMatchObject({ r: 2, lora_alpha: 6 });
  });

  test('qlora: every linear weight in nf4, the same as with the values of the codes; blocks computed again', async () => {
    const model = await readPublished(name);
    const { adapter } = await peftOf(name);
    const method = apply('qlora', model, { r: 2, alpha: 6, block: 16 });
    expect(method.quantized!.size).toBe(
      new Set(model.family.linears(model.config).map((l) => l.weight)).size,
    );
    const { codes, values } = inCodes(model, method);
    const feeds = new Map([...adapter, ...lossFeeds(model)]);
    const training = { adapt: method, trainable: method.trainable };
    const build = () => lossProgram(model);
    const plain = await run(finishProgram(build, training), feeds, reference, values);
    const read = finishProgram(build, { ...training, quantized: method.quantized });
    const inMemory = parametersOf(read).map((node) => node.attributes.name);
    for (const weight of method.quantized!.keys()) expect(inMemory).not.toContain(weight);
    const packed = await run(read, feeds, onnx, codes);
    const again = finishProgram(build, { ...training, quantized: method.quantized, recompute: 'blocks' });
    const repeated = await run(again, feeds, onnx, codes);
    expect(repeated).toEqual(packed);
    for (const [output, { data }] of plain) expectClose(packed.get(output)!.data, data, GRADIENTS, output);
  });

  test('with only the last block trained, the first one is computed once and fed', async () => {
    const model = await readPublished(name);
    const method = apply('freeze', model, { layers: 1 });
    const whole = method.rewrite(lossProgram(model));
    const trained = new Set(method.trainable);
    const edge = frozenEdge(whole, (weight) => trained.has(weight));
    expect(edge).toBe(1);
    const all = new Map([...model.weights, ...lossFeeds(model)]);
    const training = { trainable: method.trainable };
    const prefix = (
      await run(
        finishProgram(() => prefixOf(whole, edge)),
        all,
      )
    ).get(PREFIX)!;
    const above = finishProgram(() => suffixOf(whole, edge), training);
    const learnt = await run(above, new Map([...all, [PREFIX, prefix]]));
    const expected = await run(
      finishProgram(() => whole, training),
      all,
    );
    expect([...learnt.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [output, { data }] of expected)
      expectClose(learnt.get(output)!.data, data, { absolute: 1e-6, relative: 1e-5 }, output);
  });
});

test('the planner knows published sizes from their configs: qlora of Mistral 7B and Qwen3 8B', () => {
  const file = new URL('../reference/models/configs.json', import.meta.url);
  const configs = JSON.parse(readFileSync(file, 'utf8'));
  const of = (name: string) => {
    const { family, config } = openConfig(configs[name].config, Object.values(models));
    const method = apply('qlora', { family, config }, { r: 64, alpha: 16 });
    const { parts } = modelMemory({
      family,
      config,
      method,
      batch: 1,
      length: 512,
      recompute: 'blocks',
    });
    return new Map(parts.map(({ name: part, bytes }) => [part, bytes]));
  };
  // 32 blocks of (2 · 4096² + 2 · 4096 · 1024 + 3 · 4096 · 14336) at 4.127 bits; embeddings, head and norms at two bytes.
  const mistral = of('Mistral-7B-v0.1');
  expect(mistral.get('quantized weights')! / ((6_979_321_856 * 4.127) / 8)).toBeCloseTo(1, 3);
  expect(mistral.get('weights')).toBe(2 * (2 * 32_000 * 4096 + 65 * 4096));
  const qwen = of('Qwen3-8B-yarn');
  expect(qwen.get('quantized weights')! / ((6_945_767_424 * 4.127) / 8)).toBeCloseTo(1, 3);
  expect(qwen.get('weights')).toBe(2 * (2 * 151_936 * 4096 + 73 * 4096 + 36 * 2 * 128));
});
