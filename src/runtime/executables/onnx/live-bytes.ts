/** The most that the values of a program take at once on another device than the CPU, from its shapes alone. */
import { type Program, parametersOf, sizeOf } from '../../programs/program.ts';
import { executionPlan } from './execution-plan.ts';
import { lowerToOnnx } from './lower.ts';
import { BYTES_OF, typesOfValues, type ValueType } from './value-shapes.ts';

export interface LiveBytes {
  /** Of results, which live to the end. */
  readonly outputs: number;
  /** Of everything else that is computed. */
  readonly activations: number;
}

/**
 * In the engine's order, with the buffers that it shares, and nothing lost between them. Weights are not counted.
 * `floatBytes`: of a computed number; of integers and codes they are what they are on the CPU.
 */
export function liveBytes(program: Program, floatBytes: number): LiveBytes {
  const frozen = new Map(
    parametersOf(program).map(({ attributes, dtype, shape }) => [
      attributes.name,
      { dtype, shape, data: new Uint8Array(0) },
    ]),
  );
  // Fed, so that nothing is packed and nothing computed ahead.
  const { model } = lowerToOnnx(program, frozen, 'feed');
  const bytesOf = ({ dtype, shape }: ValueType) =>
    sizeOf(shape) * (dtype === 'f32' ? floatBytes : BYTES_OF[dtype]);
  const { nodes, buffers } = executionPlan(model, typesOfValues(model), bytesOf);
  const change = new Float64Array(nodes.length + 2);
  let outputs = 0;
  for (const { bytes, born, dies, isOutput } of buffers) {
    if (isOutput) outputs += bytes;
    change[born]! += bytes;
    change[dies + 1]! -= bytes;
  }
  let most = 0;
  let alive = 0;
  for (const bytes of change) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return { outputs, activations: most - outputs };
}
