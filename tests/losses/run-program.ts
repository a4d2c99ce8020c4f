/** A small program and the gradient of its loss, run by both engines. */
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { program } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Node } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';

/** Outputs by name; `grad:NAME` for each input named in `withRespectTo`. */
export async function runProgram(
  engine: Executable,
  outputs: Readonly<Record<string, Node>>,
  feeds: Readonly<Record<string, Tensor>>,
  withRespectTo: readonly string[] = [],
): Promise<Map<string, Tensor>> {
  const built = program('test', outputs);
  const whole = withRespectTo.length === 0 ? built : differentiate(built, { loss: 'loss', withRespectTo });
  const executor = await engine.load(optimize(whole));
  const results = await executor.run(new Map(Object.entries(feeds)));
  await executor.dispose();
  return results;
}

export function f32(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { dtype: 'f32', shape, data: Float32Array.from(values) };
}

export function i32(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { dtype: 'i32', shape, data: Int32Array.from(values) };
}
