/** Three architectures against PyTorch: hidden states, logits, losses, every gradient, reward and value heads. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { expectClose } from '../reference/close.ts';
import { goldenFile, goldenNames, readGolden } from '../reference/golden.ts';
import { batchFeeds, forwardProgram, type GoldenCase, lossFeeds, lossProgram } from './golden-programs.ts';

const LOGITS = { absolute: 2e-5 };
const GRADIENTS = { absolute: 5e-6, relative: 1e-4 };

describe.each([reference, onnx])('$name', (engine) => {
  async function run(program: Program, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    const executor = await engine.load(optimize(program));
    const results = await executor.run(feeds);
    await executor.dispose();
    return results;
  }

  describe.each(goldenNames)('%s', (name) => {
    test.each<GoldenCase>(['a', 'b', 'c'])('logits of batch %s', async (which) => {
      const golden = await readGolden(name);
      const heads = ['reward.score.weight', 'value.weight'].map(
        (key) => [key, golden.expected(key)] as const,
      );
      const feeds = new Map([...batchFeeds(golden, which), ...golden.weights, ...heads]);
      const results = await run(forwardProgram(golden, which), feeds);
      const logits = golden.expected(`${which}.logits`);
      const real = which === 'a' ? undefined : golden.expected(`${which}.attention_mask`).data;
      const vocabulary = logits.shape[2]!;
      const keep = (_: number, i: number) => real === undefined || real[Math.floor(i / vocabulary)] === 1;
      const actual = results.get('logits')!.data as Float32Array;
      expectClose(actual.filter(keep), (logits.data as Float32Array).filter(keep), LOGITS, 'logits');
      if (which === 'a')
        expectClose(results.get('hidden')!.data, golden.expected('a.hidden_last').data, LOGITS);
      if (which !== 'b') return;
      const masked = (x: Tensor, bias = 0) => (x.data as Float32Array).map((v, i) => (v + bias) * real![i]!);
      expectClose(
        masked(results.get('reward')!),
        golden.expected('reward.per_token').data,
        LOGITS,
        'rewards',
      );
      const bias = golden.expected('value.bias').data[0]!;
      expectClose(
        masked(results.get('value')!, bias),
        golden.expected('value.per_token').data,
        LOGITS,
        'values',
      );
    });

    test.each(['a', 'b'] as const)('loss and every gradient of batch %s', async (which) => {
      const golden = await readGolden(name);
      const names = golden.family.parameters(golden.config).map((spec) => spec.name);
      const differentiated = differentiate(lossProgram(golden, which), {
        loss: 'loss',
        withRespectTo: names,
      });
      const results = await run(differentiated, new Map([...lossFeeds(golden, which), ...golden.weights]));
      expect(Math.abs(results.get('loss')!.data[0]! - golden.scalars[`${which}.loss`]!)).toBeLessThan(2e-6);
      for (const parameter of names) {
        const expected = golden.gradient(`grad_${which}.${parameter}`);
        expectClose(
          results.get(`grad:${parameter}`)!.data,
          expected.data,
          GRADIENTS,
          `gradient of ${parameter}`,
        );
      }
      const norm = Math.hypot(...names.map((n) => Math.hypot(...results.get(`grad:${n}`)!.data)));
      expect(norm / golden.scalars[`${which}.grad_norm`]!).toBeCloseTo(1, 5);
    });
  });
});

test.each(goldenNames)('%s has the tensors of its checkpoint, in their shapes', async (name) => {
  const { family, config, weights } = await readGolden(name);
  const specs = family.parameters(config).map((spec) => [spec.name, spec.shape]);
  expect(new Map(specs as [string, number[]][])).toEqual(new Map([...weights].map(([n, t]) => [n, t.shape])));
});

test('gpt2 reads the names of the first hub file', async () => {
  const { family, config, weights } = await readGolden('gpt2');
  const hub = await goldenFile('gpt2', 'model_hub_layout.safetensors');
  const read = [...hub].flatMap(([name, tensor]) => {
    const canonical = family.canonicalName(config, name);
    return canonical === undefined ? [] : [[canonical, tensor.data] as const];
  });
  expect(new Map(read)).toEqual(new Map([...weights].map(([name, tensor]) => [name, tensor.data])));
});
