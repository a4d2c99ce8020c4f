/** Ten AdamW steps of full, freeze and lora: the losses and gradient norms that PyTorch sees. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { freeze } from '../../src/runtime/methods/freeze.ts';
import { full } from '../../src/runtime/methods/full.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { clipGradients } from '../../src/runtime/optimizers/clip.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { lossFeeds, lossProgram } from '../models/golden-programs.ts';
import { expectClose } from '../reference/close.ts';
import { goldenNames, readGolden } from '../reference/golden.ts';
import { targetOf } from './targets.ts';

const methods = { full, freeze, lora };

describe.each(goldenNames)('%s', (name) => {
  test.each(['full', 'freeze', 'lora'] as const)('%s', async (kind) => {
    const golden = await readGolden(name);
    const loraOptions = { r: 4, alpha: 8, targets: name === 'gpt2' ? ['qkv'] : ['q', 'v'] };
    const options: Record<string, Json> =
      kind === 'lora' ? loraOptions : kind === 'freeze' ? { layers: 1 } : {};
    const method = methods[kind].apply(targetOf(golden), options);
    const headName = name === 'llama' ? 'lm_head.weight' : '';
    const embedding = name === 'gpt2' ? 'transformer.wte.weight' : 'model.embed_tokens.weight';
    const headTrainable = method.trainable.includes(headName || embedding);
    const loss = method.rewrite(lossProgram(golden, 'b', headTrainable));
    const trained = differentiate(loss, { loss: 'loss', withRespectTo: method.trainable });
    const executor = await onnx.load(optimize(trained));
    const all = new Map([...golden.weights, ...golden.adapter]);
    const tensors = new Map(
      method.trainable.map((tensor): [string, Tensor] => {
        const value = all.get(tensor)!;
        return [tensor, { ...value, data: Float32Array.from(value.data) }];
      }),
    );
    const parameters = new Map([...tensors].map(([tensor, value]) => [tensor, value.data as Float32Array]));
    const wanted = golden.scalars.train[kind]!;
    expect([...parameters.values()].reduce((n, values) => n + values.length, 0)).toBe(wanted.trainable);
    const optimizer = adamw({ weightDecay: 0.01 });
    const state = optimizer.initialize(parameters);
    const feeds = lossFeeds(golden, 'b');
    const losses: number[] = [];
    const norms: number[] = [];
    for (let step = 0; step <= 10; step++) {
      const results = await executor.run(new Map([...feeds, ...all, ...tensors]));
      losses.push(results.get('loss')!.data[0]!);
      if (step === 10) break;
      const gradients = new Map(
        method.trainable.map((tensor) => [tensor, results.get(`grad:${tensor}`)!.data as Float32Array]),
      );
      norms.push(clipGradients(gradients, 1));
      optimizer.update(parameters, gradients, state, 1e-2);
    }
    await executor.dispose();
    expectClose(losses.slice(0, 5), wanted.losses.slice(0, 5), { absolute: 1e-4 }, 'losses 1-5');
    expectClose(losses, wanted.losses, { absolute: 1e-3 }, 'losses');
    expectClose(norms, wanted.grad_norms, { relative: 2e-3 }, 'norms');
  });
});
