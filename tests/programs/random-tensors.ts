/** Seeded values for tests. */
import * as b from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../../src/runtime/programs/program.ts';
import type { OpCase, OperandSpec } from './op-cases.ts';

/** mulberry32: numbers in [0, 1) from a 32-bit seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomTensor({ dtype, shape, low, high }: OperandSpec, random: () => number): Tensor {
  const values = Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random());
  if (dtype === 'f32') return { dtype, shape, data: Float32Array.from(values) };
  const whole = values.map(Math.floor);
  if (dtype === 'i32') return { dtype, shape, data: Int32Array.from(whole) };
  return { dtype, shape, data: dtype === 'i8' ? Int8Array.from(whole) : Uint8Array.from(whole) };
}

/** The case as a program with inputs x0, x1, … and output y, and values for what it reads. */
export function programOf(name: string, { operands, build }: OpCase, seed: number) {
  const random = randomNumbers(seed);
  const inputs = operands.map(({ dtype, shape }, i) => b.input(`x${i}`, dtype, shape));
  const program = b.program(name, { y: build(...inputs) });
  const feeds = new Map(operands.map((spec, i) => [`x${i}`, randomTensor(spec, random)]));
  return { program, feeds: withParameters(program, feeds, random) };
}

export function withParameters(
  program: Program,
  feeds: ReadonlyMap<string, Tensor>,
  random: () => number,
): Map<string, Tensor> {
  const all = new Map(feeds);
  const isParameter = (node: Node): node is Node<'parameter'> => node.op === 'parameter';
  for (const { attributes, dtype, shape } of nodesOf(program).filter(isParameter))
    if (!all.has(attributes.name))
      all.set(attributes.name, randomTensor({ dtype, shape, low: -1, high: 1 }, random));
  return all;
}
