/** Whole training steps: layers, losses and gradients together, onnx against the reference. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { causalBias } from '../../src/runtime/layers/mask.ts';
import { linearCrossEntropy } from '../../src/runtime/losses/linear-cross-entropy.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Program, parametersOf } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { randomNumbers, randomTensor, withParameters } from '../programs/random-tensors.ts';
import { composite, expectClose } from './tolerances.ts';

const [batch, tokens, vocabulary, width] = [2, 6, 23, 16];
const special = { vocabularySize: vocabulary, eos: 0, pad: 0 };
const models: readonly (readonly [ModelFamily, ModelConfig])[] = [
  [llama, llama.configure({ layers: 2, width, heads: 4, kv_heads: 2, mlp: 24, context: tokens }, special)],
  [gpt2, gpt2.configure({ layers: 2, width, heads: 2, context: tokens }, special)],
];

function trainingStep(family: ModelFamily, config: ModelConfig): Program {
  const { hidden } = family.forward(config, {
    ids: b.input('ids', 'i32', [batch, tokens]),
    positions: b.input('positions', 'i32', [1, tokens]),
    bias: causalBias(tokens),
  });
  const { loss, entropy } = linearCrossEntropy({
    hidden: b.reshape(hidden, [batch * tokens, width]),
    head: family.head(config),
    labels: b.input('labels', 'i32', [batch * tokens]),
    weights: b.input('weights', 'f32', [batch * tokens]),
    headTrainable: true,
    chunkRows: 5,
  });
  return b.program(`${family.modelType} step`, { loss, entropy });
}

function stepFeeds(program: Program): Map<string, Tensor> {
  const random = randomNumbers(4);
  const whole = (shape: number[]) => randomTensor({ dtype: 'i32', shape, low: 0, high: vocabulary }, random);
  const feeds = new Map<string, Tensor>([
    ['ids', whole([batch, tokens])],
    ['labels', whole([batch * tokens])],
    [
      'positions',
      { dtype: 'i32', shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) },
    ],
    ['weights', randomTensor({ dtype: 'f32', shape: [batch * tokens], low: 0, high: 0.1 }, random)],
  ]);
  return withParameters(program, feeds, random);
}

function expectSameOutputs(actual: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, value] of expected) expectClose(actual.get(name)!, value, composite, name);
}

describe.each(models)('a step of $modelType', (family, config) => {
  const forward = trainingStep(family, config);
  const names = [...new Set(parametersOf(forward).map((node) => node.attributes.name))];
  const gradients = differentiate(forward, { loss: 'loss', withRespectTo: names });
  const optimized = verifyProgram(optimize(gradients));
  const feeds = stepFeeds(forward);

  test('every gradient agrees, all weights fed', async () => {
    const expected = await (await reference.load(gradients)).run(feeds);
    expect(expected.size).toBe(2 + names.length);
    expect([...expected.values()].every(({ data }) => data.some((v) => v !== 0))).toBe(true);
    const engine = await onnx.load(optimized, { threads: 1 });
    expectSameOutputs(await engine.run(feeds), expected);
    await engine.dispose();
  });

  test.each(['fast', 'small'] as const)('frozen weights, memory %s', async (memory) => {
    const trained = names.slice(2, 4);
    const frozen = new Map(
      names.filter((name) => !trained.includes(name)).map((name) => [name, feeds.get(name)!]),
    );
    const fed = new Map([...feeds].filter(([name]) => !frozen.has(name)));
    const step = optimize(differentiate(forward, { loss: 'loss', withRespectTo: trained }));
    const expected = await (await reference.load(step, { frozen })).run(fed);
    const engine = await onnx.load(step, { frozen, memory });
    expectSameOutputs(await engine.run(fed), expected);
    await engine.dispose();
  });
});
