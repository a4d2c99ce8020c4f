/** Attention in bands against attention over all keys: the same numbers and gradients, fewer products. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { attention } from '../../src/runtime/layers/attention.ts';
import { bandsOf } from '../../src/runtime/layers/bands.ts';
import { causalBias, causalBiasTensor, MASKED, windowMask } from '../../src/runtime/layers/mask.ts';
import { add, constant, input, mul, program, sum } from '../../src/runtime/programs/builder.ts';
import { floatingPointOperations } from '../../src/runtime/programs/cost.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Node, type Program, sizeOf } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { randomNumbers, randomTensor } from '../programs/random-tensors.ts';
import { expectClose } from '../reference/close.ts';

const BATCH = 2;
const SIZE = 8;

function attentionProgram(tokens: number, heads: number, groups: number, bias: Node): Program {
  const of = (name: string, count: number) => input(name, 'f32', [BATCH, count, tokens, SIZE]);
  const [query, key, value] = [of('query', heads), of('key', groups), of('value', groups)];
  const context = attention({ query, key, value, bias });
  const loss = sum(mul(context, input('weights', 'f32', context.shape)));
  const withRespectTo = ['query', 'key', 'value'];
  return optimize(differentiate(program('attention', { context, loss }), { loss: 'loss', withRespectTo }));
}

const causal = causalBias;
const windowed = (tokens: number) => add(causalBias(tokens), windowMask(tokens, 40));
const fed = (tokens: number) => input('bias', 'f32', [1, 1, tokens, tokens]);

/** What `windowed` adds up to. */
function valuesOf(bias: Node): Tensor {
  if (bias.op === 'constant') return bias.attributes.value;
  const [a, b] = bias.inputs.map((x) => valuesOf(x).data);
  return { dtype: 'f32', shape: bias.shape, data: Float32Array.from(a!, (v, i) => v + b![i]!) };
}

describe.each([reference, onnx])('$name', (engine) => {
  test.each([
    ['causal', 200, 4, 2, causal],
    ['causal, one key head a query head', 130, 2, 2, causal],
    ['with a window', 200, 4, 2, windowed],
  ] as const)('%s', async (_, tokens, heads, groups, biasOf) => {
    const bias = biasOf(tokens);
    const inBands = attentionProgram(tokens, heads, groups, bias);
    const whole = attentionProgram(tokens, heads, groups, fed(tokens));
    const random = randomNumbers(1);
    const values = (shape: readonly number[]) =>
      randomTensor({ dtype: 'f32', shape, low: -2, high: 2 }, random);
    const feeds = new Map<string, Tensor>([
      ['query', values([BATCH, heads, tokens, SIZE])],
      ['key', values([BATCH, groups, tokens, SIZE])],
      ['value', values([BATCH, groups, tokens, SIZE])],
      ['weights', values([BATCH * tokens, heads * SIZE])],
      ['bias', valuesOf(bias)],
    ]);
    const results = await Promise.all(
      [inBands, whole].map(async (one) => {
        const executor = await engine.load(one);
        const outputs = await executor.run(feeds);
        await executor.dispose();
        return outputs;
      }),
    );
    for (const name of ['context', 'grad:query', 'grad:key', 'grad:value'])
      expectClose(results[0]!.get(name)!.data, results[1]!.get(name)!.data, { absolute: 2e-5 }, name);
    expect(floatingPointOperations(inBands)).toBeLessThan(0.9 * floatingPointOperations(whole));
  });
});

describe('bands', () => {
  test('of a causal mask end where their queries end', () => {
    const bands = bandsOf(causalBias(256));
    expect(bands.map(({ queries }) => queries)).toEqual([
      [0, 64],
      [64, 128],
      [128, 192],
      [192, 256],
    ]);
    expect(bands.map(({ keys }) => keys)).toEqual([
      [0, 64],
      [0, 128],
      [0, 192],
      [0, 256],
    ]);
  });

  test('of a window begin where its first query looks back to', () => {
    const bands = bandsOf(add(causalBias(256), windowMask(256, 65)));
    expect(bands.map(({ keys }) => keys)).toEqual([
      [0, 64],
      [0, 128],
      [64, 192],
      [128, 256],
    ]);
  });

  test.each([129, 200, 300, 1000])('of %i tokens hide nothing that is seen', (tokens) => {
    const { data } = causalBiasTensor(tokens, [7]);
    const bands = bandsOf(constant({ dtype: 'f32', shape: [1, 1, tokens, tokens], data }));
    expect(bands.length).toBeGreaterThan(1);
    expect(bands.length).toBeLessThanOrEqual(8);
    expect(bands[0]!.queries[0]).toBe(0);
    expect(bands.at(-1)!.queries[1]).toBe(tokens);
    let outside = 0;
    for (const { queries, keys, bias } of bands) {
      expect(sizeOf(bias.shape)).toBe((queries[1] - queries[0]) * (keys[1] - keys[0]));
      for (let query = queries[0]; query < queries[1]; query++)
        for (let key = 0; key < tokens; key++)
          if (data[query * tokens + key]! > MASKED / 2 && (key < keys[0] || key >= keys[1])) outside++;
    }
    expect(outside).toBe(0);
  });

  test('there is one where the bias is fed, has a row a sequence, or is short', () => {
    expect(bandsOf(fed(256))).toHaveLength(1);
    expect(bandsOf(constant(causalBiasTensor(256, [0, 3])))).toHaveLength(1);
    expect(bandsOf(causalBias(127))).toHaveLength(1);
  });
});
