import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { liveBytes } from '../../src/runtime/executables/onnx/live-bytes.ts';
import { emitOnnx, onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { freeze } from '../../src/runtime/methods/freeze.ts';
import { full } from '../../src/runtime/methods/full.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import type { Method } from '../../src/runtime/methods/method.ts';
import { qlora } from '../../src/runtime/methods/qlora.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import { nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import { recompute } from '../../src/runtime/rewrites/recompute.ts';
import { programPasses, runPasses } from '../../src/runtime/run/program-passes.ts';
import type { Treatment } from '../../src/runtime/stages/stage.ts';
import { composite, expectClose } from '../executables/tolerances.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { applied, bareStep, families, feedsOf } from './tiny-models.ts';

const methods: readonly (readonly [Method, Record<string, number | string[]>, number])[] = [
  [full, {}, 3],
  [freeze, { layers: 2 }, 2],
  [lora, { r: 2, targets: ['q', 'v'] }, 3],
  [lora, { r: 2, targets: ['down'], dropout: 0.5 }, 3],
  [qlora, { r: 2, targets: ['v'], block: 16 }, 3],
];

/** The step with gradients, every pass verified. */
function stepOf(
  model: (typeof families)[number],
  [method, options]: (typeof methods)[number],
  recomputation: 'none' | 'blocks',
): Program {
  const one = applied(method, model, options);
  const treatment: Treatment = {
    adapt: one,
    quantized: one.quantized,
    dropout: true,
    trainable: one.trainable,
    recompute: recomputation,
  };
  return runPasses(
    programPasses(() => bareStep(model, method), treatment),
    { verify: true },
  );
}

const count = (program: Program, op: string) => nodesOf(program).filter((node) => node.op === op).length;

describe.each(families)('$modelType', (...model) => {
  describe.each(methods)('$entry.name', (...method) => {
    const kept = stepOf(model, method, 'none');
    const repeated = stepOf(model, method, 'blocks');
    const feeds = feedsOf(kept);

    test('the reference gets the same numbers, bit for bit', () => {
      const [expected, actual] = [evaluate(kept, feeds), evaluate(repeated, feeds)];
      expect([...actual.keys()]).toEqual([...expected.keys()]);
      for (const [name, value] of expected) expect(actual.get(name), name).toEqual(value);
    });

    test('the engine gets the same numbers', async () => {
      const executors = await Promise.all([kept, repeated].map((one) => onnx.load(one, { threads: 1 })));
      const [expected, actual] = await Promise.all(executors.map((one) => one.run(feeds)));
      for (const [name, value] of expected!) expectClose(actual!.get(name)!, value, composite, name);
      for (const one of executors) await one.dispose();
    });

    test('no pass undoes it: the attention of each block that has a gradient is computed twice', () => {
      const [, , blocks] = method;
      expect(count(kept, 'softmax')).toBe(count(repeated, 'softmax') - blocks);
      // Once to compute again, and once where the gradient goes on: to a block below, or to a trained embedding.
      expect(count(repeated, 'after')).toBe(2 * blocks - (method[0].entry.name === 'full' ? 0 : 1));
      expect(count(kept, 'after')).toBe(0);
    });
  });
});

/** How many nodes of an operator the engine keeps after its own rewrites. */
async function engineCount(program: Program, operator: string): Promise<number> {
  const file = join(temporaryDirectory(), 'optimized.onnx');
  const session = await InferenceSession.create(emitOnnx(program), {
    optimizedModelFilePath: file,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
  });
  await session.release();
  const typed = Buffer.concat([Buffer.of(0x22, operator.length), Buffer.from(operator)]);
  const bytes = readFileSync(file);
  let found = 0;
  for (let at = bytes.indexOf(typed); at >= 0; at = bytes.indexOf(typed, at + 1)) found++;
  return found;
}

test('the engine does not find out that work is done twice', async () => {
  for (const model of families) {
    expect(await engineCount(stepOf(model, methods[0]!, 'none'), 'Softmax')).toBe(3 + 1);
    expect(await engineCount(stepOf(model, methods[0]!, 'blocks'), 'Softmax')).toBe(6 + 1);
  }
});

test('less is alive at once', () => {
  const bytes = (recomputation: 'none' | 'blocks') =>
    liveBytes(stepOf(families[0]!, methods[2]!, recomputation), 4).activations;
  expect(bytes('blocks')).toBeLessThan(0.8 * bytes('none'));
});

test('a program that keeps what a gradient reads does not pass as recomputed', () => {
  const x = b.blockEdge(b.mul(b.input('x', 'f32', [2, 3]), b.parameter('w', [3])), 0);
  const y = b.blockEdge(b.tanh(x), 1);
  const forward = b.program('p', { loss: b.sum(b.mul(y, y)) });
  const [, , , differentiate] = programPasses(() => forward, { trainable: ['w'] });
  const kept = differentiate!.run(forward);
  expect(recompute.verify!(kept)).toEqual(['a sub of (2,3) is kept for a gradient']);
  expect(recompute.verify!(recompute.run(kept))).toEqual([]);
});

test('what comes after something keeps its bits, whatever that is', async () => {
  const [x, y] = [b.input('x', 'f32', [4]), b.input('y', 'f32', [2, 2])];
  const executor = await onnx.load(b.program('p', { z: b.after(x, b.exp(y)) }));
  const bits = new Uint32Array(Float32Array.of(-0, Number.NaN, Number.NEGATIVE_INFINITY, 1e-45).buffer);
  for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const feeds = new Map([
      ['x', { dtype: 'f32', shape: [4], data: new Float32Array(bits.slice().buffer) }] as const,
      ['y', { dtype: 'f32', shape: [2, 2], data: new Float32Array(4).fill(value) }] as const,
    ]);
    const { data } = (await executor.run(feeds)).get('z')!;
    expect(new Uint32Array(data.buffer, data.byteOffset, 4)).toEqual(bits);
  }
  await executor.dispose();
});
