/** Quantized base weights against PyTorch: logits, and an adapter's gradients through them. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Program, parametersOf } from '../../src/runtime/programs/program.ts';
import { quantize as quantizeTensor } from '../../src/runtime/quantization/quantize.ts';
import { quantizedParameters } from '../../src/runtime/quantization/quantized-parameters.ts';
import type { QuantizationOptions } from '../../src/runtime/quantization/quantized-tensor.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { quantize } from '../../src/runtime/rewrites/quantize.ts';
import { targetOf } from '../methods/targets.ts';
import { batchFeeds, forwardProgram, lossFeeds, lossProgram } from '../models/golden-programs.ts';
import { expectClose } from '../reference/close.ts';
import { type Golden, goldenNames, readGolden } from '../reference/golden.ts';

const LOGITS = { absolute: 2e-5 };
const GRADIENTS = { absolute: 5e-6, relative: 1e-4 };

/** The block's linear weights in codes, the rest as they are. */
function quantizedWeights({ weights, scalars }: Golden, options: QuantizationOptions) {
  const names = scalars['nf4.quantized_tensors'] as unknown as string[];
  const frozen = new Map(weights);
  for (const name of names) {
    const { shape, data } = weights.get(name)!;
    frozen.delete(name);
    const codes = quantizeTensor({ shape, data: data as Float32Array }, options, name);
    for (const [part, tensor] of quantizedParameters(name, codes)) frozen.set(part, tensor);
  }
  return { frozen, formats: new Map(names.map((name) => [name, options])) };
}

describe.each([reference, onnx])('$name', (engine) => {
  async function run(
    program: Program,
    feeds: ReadonlyMap<string, Tensor>,
    frozen: ReadonlyMap<string, Tensor>,
  ): Promise<Map<string, Tensor>> {
    const executor = await engine.load(optimize(program), { frozen });
    const results = await executor.run(feeds);
    await executor.dispose();
    return results;
  }

  describe.each(goldenNames)('%s', (name) => {
    test.each([
      ['nf4', false],
      ['nf4_dq', true],
    ] as const)('%s: logits, and loss and gradients under an adapter', async (key, doubleQuantization) => {
      const golden = await readGolden(name);
      const { frozen, formats } = quantizedWeights(golden, { format: 'nf4', doubleQuantization });
      const heads = ['reward.score.weight', 'value.weight'].map((k) => [k, golden.expected(k)] as const);
      const forward = quantize(forwardProgram(golden, 'a'), formats);
      const read = parametersOf(forward).map((node) => node.attributes.name);
      for (const weight of formats.keys()) expect(read).not.toContain(weight);
      const outputs = await run(forward, batchFeeds(golden, 'a'), new Map([...frozen, ...heads]));
      expectClose(outputs.get('logits')!.data, golden.expected(`${key}.logits`).data, LOGITS, 'logits');

      const method = lora.apply(targetOf(golden), {
        r: 4,
        alpha: 8,
        targets: name === 'gpt2' ? ['qkv'] : ['q', 'v'],
      });
      const adapted = method.rewrite(forwardProgram(golden, 'a'));
      const feeds = new Map([...batchFeeds(golden, 'a'), ...golden.adapter]);
      const logits = await run(quantize(adapted, formats), feeds, new Map([...frozen, ...heads]));
      expectClose(logits.get('logits')!.data, golden.expected(`qlora_${key}.logits`).data, LOGITS, 'adapted');

      const loss = quantize(method.rewrite(lossProgram(golden, 'a', false)), formats);
      const trained = differentiate(loss, { loss: 'loss', withRespectTo: method.trainable });
      const results = await run(trained, new Map([...lossFeeds(golden, 'a'), ...golden.adapter]), frozen);
      expect(Math.abs(results.get('loss')!.data[0]! - golden.scalars[`qlora_${key}.loss`]!)).toBeLessThan(
        4e-6,
      );
      for (const weight of method.trainable) {
        const wanted = golden.gradient(`grad_qlora_${key}.${weight}`);
        expectClose(results.get(`grad:${weight}`)!.data, wanted.data, GRADIENTS, weight);
      }
    });
  });
});
