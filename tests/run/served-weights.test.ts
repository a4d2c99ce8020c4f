/** Decoding with weights in codes: what the codes stand for is what is computed, up to the rounding of rows. */
import { describe, expect, test } from 'vitest';
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { prefillProgram } from '../../src/runtime/generation/decoding-programs.ts';
import { causalBiasTensor } from '../../src/runtime/layers/mask.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelFamily } from '../../src/runtime/models/model.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { parametersOf } from '../../src/runtime/programs/program.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { servedDecoder } from '../../src/runtime/run/generate.ts';
import {
  type ServedFormat,
  type ServedWeights,
  servedInCodes,
  weightsAsTheyAre,
} from '../../src/runtime/run/served-weights.ts';
import { LazyWeights } from '../../src/runtime/stages/lazy-weights.ts';
import { randomWeights } from '../gguf/models.ts';
import { relativeError } from '../relative-error.ts';

const VOCABULARY = 80;
function model(family: ModelFamily, options: object = {}, seed = 1) {
  const sizes = { layers: 2, width: 64, heads: 4, context: 48, ...options };
  const config = family.configure(sizes, { vocabularySize: VOCABULARY, eos: 0, pad: 1 });
  return { family, config, weights: randomWeights(family.parameters(config), seed) };
}
type Model = ReturnType<typeof model>;
const prompt = Int32Array.from({ length: 16 }, (_, i) => (i * 37 + 5) % VOCABULARY);

async function logitsOf(
  one: Model,
  { frozen, rewrite }: ServedWeights,
  executable: Executable,
  roundedRows: boolean,
): Promise<Float32Array> {
  const program = optimize(rewrite(prefillProgram(one, 1, prompt.length)));
  const executor = await executable.load(program, { frozen, roundedRows, memory: 'small', threads: 1 });
  const feeds = new Map<string, Tensor>([
    ['ids', { dtype: 'i32', shape: [1, 16], data: prompt }],
    ['positions', { dtype: 'i32', shape: [1, 16], data: prompt.map((_, i) => i) }],
    ['bias', causalBiasTensor(16, [0])],
  ]);
  const logits = (await executor.run(feeds)).get('logits')!.data as Float32Array;
  await executor.dispose();
  return logits;
}

/** Tokens that the decoder takes; `prompt`, then greedy. */
async function greedy(one: Model, format: ServedFormat, executable: Executable): Promise<number[]> {
  const decoder = servedDecoder(one, format, executable.load, { threads: 1 });
  const [tokens] = await decoder.generate([prompt], new Map(), { maxNewTokens: 24, stop: [] });
  await decoder.dispose();
  return [...tokens!];
}

describe.each([
  ['llama', llama, { kv_heads: 2, mlp: 96 }, 3],
  ['llama, untied', llama, { kv_heads: 2, mlp: 96, tied: false }, 1],
  ['gpt2', gpt2, {}, 4],
] as const)('%s', (_, family, options, seed) => {
  test.each(['int8', 'int4'] as const)('%s: the reference on the values of the codes', async (format) => {
    const one = model(family, options, seed);
    const served = servedInCodes(one, format);
    const expected = await logitsOf(one, served, reference, false);
    // Without leave to round, the engine computes with the codes' values too.
    expect(relativeError(await logitsOf(one, served, onnx, false), expected)).toBeLessThan(1e-5);
    const rounded = relativeError(await logitsOf(one, served, onnx, true), expected);
    expect(rounded).toBeGreaterThan(1e-5);
    expect(rounded).toBeLessThan(0.03);
    const whole = await logitsOf(one, weightsAsTheyAre(one), reference, false);
    const moved = relativeError(expected, whole);
    expect(moved).toBeGreaterThan(format === 'int8' ? 1e-3 : 0.02);
    expect(moved).toBeLessThan(format === 'int8' ? 0.03 : 0.5);
  });

  // With these seeds the likeliest token is never as close to the next as rounding is large.
  test.each(['int8', 'int4'] as const)('%s: the text of the reference', async (format) => {
    const one = model(family, options, seed);
    expect(await greedy(one, format, onnx)).toEqual(await greedy(one, format, reference));
  });
});

test('what is read: codes, and of floats the norms', () => {
  const one = model(llama, { mlp: 96 });
  const { rewrite } = servedInCodes(one, 'int4');
  const read = parametersOf(rewrite(prefillProgram(one, 1, 4))).map(({ attributes }) => attributes.name);
  const norms = [0, 1].flatMap((i) =>
    ['input', 'post_attention'].map((norm) => `model.layers.${i}.${norm}_layernorm.weight`),
  );
  expect(read.filter((name) => !/\.(rows|table)\./.test(name)).sort()).toEqual(
    [...norms, 'model.norm.weight'].sort(),
  );
  expect(read.filter((name) => name.startsWith('model.embed_tokens')).sort()).toEqual(
    ['rows.absmax', 'rows.codes', 'table.absmax', 'table.codes'].map(
      (part) => `model.embed_tokens.weight.${part}`,
    ),
  );
});

test('blocks of 16 where 32 do not divide the row; a weight whose rows are no whole blocks stays as it is', async () => {
  const one = model(llama, { width: 48, heads: 2, mlp: 40 });
  const served = servedInCodes(one, 'int4');
  const down = 'model.layers.0.mlp.down_proj.weight';
  const up = 'model.layers.0.mlp.up_proj.weight';
  expect(served.frozen.get(down)).toEqual(one.weights.get(down));
  expect(served.frozen.get(`${up}.rows.absmax`)!.shape).toEqual([(40 * 48) / 16]);
  const expected = await logitsOf(one, served, reference, false);
  expect(relativeError(await logitsOf(one, served, onnx, true), expected)).toBeLessThan(0.03);
});

test('codes that the file has are taken as they are', () => {
  const one = model(llama, { mlp: 96 });
  const name = 'model.layers.1.self_attn.q_proj.weight';
  const { shape, data } = one.weights.get(name)!;
  const stored = quantize(
    { shape, data: data as Float32Array },
    { format: 'int4', block: 64, doubleQuantization: true },
  );
  const weights = new LazyWeights({
    names: [...one.weights.keys()],
    read: (each) => {
      if (each === name) throw new Error('it is read');
      return one.weights.get(each)!;
    },
    codes: (each) => (each === name ? stored : undefined),
  });
  const { frozen } = servedInCodes({ ...one, weights }, 'int4');
  expect(frozen.get(`${name}.rows.codes`)!.data).toBe(stored.codes);
  expect(frozen.get(`${name}.rows.absmax`)!.shape).toEqual([64]);
});
