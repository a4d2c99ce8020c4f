/** Running a golden model's programs with a method on it. */
import { expect } from 'vitest';
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { batchFeeds, forwardProgram, lossFeeds, lossProgram } from '../models/golden-programs.ts';
import type { Golden } from '../reference/golden.ts';

export type Tensors = ReadonlyMap<string, Tensor>;

export async function run(
  program: Program,
  feeds: Tensors,
  engine: Executable = onnx,
): Promise<Map<string, Tensor>> {
  const executor = await engine.load(optimize(program));
  const results = await executor.run(feeds);
  await executor.dispose();
  return results;
}

/** What the golden forward programs read beside the model. */
export const heads = (golden: Golden) =>
  ['reward.score.weight', 'value.weight'].map((key) => [key, golden.expected(key)] as const);

/** Logits of batch `a` with these weights, and with a method's tensors where there is one. */
export async function logitsOf(
  golden: Golden,
  weights: Tensors,
  { method, engine = onnx }: { method?: AppliedMethod; engine?: Executable } = {},
): Promise<Float32Array> {
  const plain = forwardProgram(golden, 'a');
  const program = method === undefined ? plain : method.rewrite(plain, { dropout: false });
  const feeds = new Map([...batchFeeds(golden, 'a'), ...golden.weights, ...weights, ...heads(golden)]);
  return (await run(program, feeds, engine)).get('logits')!.data as Float32Array;
}

/** Loss of batch `a`, and the gradients of what the method trains. `masks` are dropout masks by input. */
export async function gradientsOf(
  golden: Golden,
  method: AppliedMethod,
  added: Tensors,
  { engine = onnx, masks = new Map() }: { engine?: Executable; masks?: Tensors } = {},
): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
  const loss = method.rewrite(
    lossProgram(golden, 'a', method.rebuilt !== undefined && method.rebuilt.length > 0),
  );
  const trained = differentiate(loss, { loss: 'loss', withRespectTo: method.trainable });
  const feeds = new Map([...lossFeeds(golden, 'a'), ...golden.weights, ...added, ...masks]);
  const results = await run(trained, feeds, engine);
  for (const name of method.trainable) expect(results.has(`grad:${name}`), name).toBe(true);
  return {
    loss: results.get('loss')!.data[0]!,
    gradients: new Map(
      method.trainable.map((name) => [name, results.get(`grad:${name}`)!.data as Float32Array]),
    ),
  };
}
