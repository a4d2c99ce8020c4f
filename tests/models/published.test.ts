/** Families as transformers computes them: logits, padded on either side, loss, gradients, on both engines. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { expectClose } from '../reference/close.ts';
import { type PublishedModel, publishedNames, readPublished } from '../reference/published-models.ts';
import {
  logitsFeeds,
  logitsProgram,
  lossFeeds,
  lossProgram,
  type PublishedCase,
} from './published-programs.ts';

const LOGITS = { absolute: 2e-5 };
const GRADIENTS = { absolute: 5e-6, relative: 1e-4 };
describe.each([reference, onnx])('$name', (engine) => {
  async function run(built: Program, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    const executor = await engine.load(optimize(built));
    const results = await executor.run(feeds);
    await executor.dispose();
    return results;
  }

  async function logits(model: PublishedModel, which: PublishedCase): Promise<Float32Array> {
    const feeds = logitsFeeds(model, which);
    const [rows] = feeds.get('ids')!.shape as [number];
    const results = await run(logitsProgram(model, rows), new Map([...model.weights, ...feeds]));
    return results.get('logits')!.data as Float32Array;
  }

  describe.each(publishedNames)('%s', (name) => {
    test.each(['a', 'b', 'c'] as const)('logits of batch %s', async (which) => {
      const model = await readPublished(name);
      const { data, shape } = model.expected.get(`${which}.logits`)!;
      const real = model.expected.get(`${which}.attention_mask`)?.data;
      const keep = (_: number, i: number) => real === undefined || real[Math.floor(i / shape[2]!)] === 1;
      const actual = await logits(model, which);
      expectClose(actual.filter(keep), (data as Float32Array).filter(keep), LOGITS, 'logits');
    });

    test('loss and gradients', async () => {
      const model = await readPublished(name);
      const expected = [...model.expected].filter(([key]) => key.startsWith('grad.'));
      const wanted = expected.map(([key]) => key.slice('grad.'.length));
      const built = differentiate(lossProgram(model), { loss: 'loss', withRespectTo: wanted });
      const results = await run(built, new Map([...model.weights, ...lossFeeds(model)]));
      expect(Math.abs(results.get('loss')!.data[0]! - model.loss)).toBeLessThan(2e-6);
      expect(wanted.length).toBeGreaterThan(4);
      for (const [key, { data }] of expected)
        expectClose(results.get(`grad:${key.slice('grad.'.length)}`)!.data, data, GRADIENTS, key);
    });
  });

  test.each([
    ['llama-linear', { rope_scaling: null }],
    ['llama-dynamic', { rope_scaling: null }],
    ['llama-llama3', { rope_parameters: { rope_theta: 100 } }],
    ['llama-yarn', { rope_parameters: { rope_theta: 100 } }],
    ['mistral-window', { sliding_window: 20 }],
    ['qwen2-window', { use_sliding_window: false }],
    ['qwen2-window', { max_window_layers: 2 }],
    ['qwen3-window', { sliding_window: 20 }],
    ['gpt2-scaled', { scale_attn_by_inverse_layer_idx: false }],
  ])('%s: without the setting (%o) the logits are others', async (name, change) => {
    const model = await readPublished(name);
    const other = await logits({ ...model, config: { ...model.config, ...change } }, 'a');
    const { data } = model.expected.get('a.logits')!;
    expect(Math.max(...other.map((value, i) => Math.abs(value - data[i]!)))).toBeGreaterThan(0.1);
  });
});
