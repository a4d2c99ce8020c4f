/** Scales of rows that eight-bit products leave to what comes after them. */
import { expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { gatedMlp } from '../../src/runtime/layers/mlp.ts';
import { input, mul, parameter, program, sum } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Node, nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import { uniform } from '../../src/runtime/programs/uniform.ts';
import { eightBitParameters } from '../../src/runtime/rewrites/eight-bit-parameters.ts';
import { eightBitProducts } from '../../src/runtime/rewrites/eight-bit-products.ts';
import { optimize, rewrites } from '../../src/runtime/rewrites/optimize.ts';
import { rowScales } from '../../src/runtime/rewrites/row-scales.ts';
import { randomNumbers, randomTensor } from '../programs/random-tensors.ts';
import { relativeError } from '../relative-error.ts';

const random = randomNumbers(9);
const values = (shape: readonly number[]): Tensor =>
  randomTensor({ dtype: 'f32', shape, low: -1, high: 1 }, random);

async function run(engine: typeof onnx, one: Program, feeds: ReadonlyMap<string, Tensor>) {
  const executor = await engine.load(one);
  const results = await executor.run(feeds);
  await executor.dispose();
  return results;
}

const products = (one: Program) =>
  nodesOf(one).filter((node): node is Node<'matmulCodes'> => node.op === 'matmulCodes');

/** The rewrites without this one. */
const withoutScales = (one: Program): Program =>
  rewrites.filter((rewrite) => rewrite !== rowScales).reduce((now, rewrite) => rewrite.run(now), one);

test('a gated layer leaves the scale of `up`, and of its gradient, to the quantization behind', async () => {
  const [rows, width, inner] = [12, 32, 48];
  const weights = {
    gate: parameter('gate', [inner, width]),
    up: parameter('up', [inner, width]),
    down: parameter('down', [width, inner]),
  };
  const y = gatedMlp(input('x', 'f32', [rows, width]), weights);
  const step = differentiate(program('mlp', { y, loss: sum(mul(y, input('dy', 'f32', [rows, width]))) }), {
    loss: 'loss',
    withRespectTo: ['x'],
  });
  const coded = eightBitProducts(() => true).run(step);
  const [plain, cheaper] = [withoutScales(coded), optimize(coded)];
  expect(products(plain).map(({ inputs }) => uniform(inputs[1]!))).toEqual(new Array(6).fill(undefined));
  // Forward `up`, backward `down`.
  expect(products(cheaper).filter(({ inputs }) => uniform(inputs[1]!) === 1)).toHaveLength(2);
  const base = new Map([
    ['gate', values([inner, width])],
    ['up', values([inner, width])],
    ['down', values([width, inner])],
  ]);
  const x = values([rows, width]);
  // Padding: rows of zeros, whose largest number is zero.
  (x.data as Float32Array).fill(0, 0, width);
  const dy = values([rows, width]);
  (dy.data as Float32Array).fill(0, width, 2 * width);
  const feeds = new Map([...eightBitParameters(base, () => true), ['x', x] as const, ['dy', dy] as const]);
  const expected = await run(reference, plain, feeds);
  for (const engine of [reference, onnx]) {
    const results = await run(engine, cheaper, feeds);
    for (const name of ['y', 'grad:x']) {
      const { data } = results.get(name)!;
      expect(data.every(Number.isFinite), `${engine.name} ${name}`).toBe(true);
      expect(relativeError(data, expected.get(name)!.data), `${engine.name} ${name}`).toBeLessThan(2e-3);
    }
    expect(Math.max(...results.get('y')!.data.subarray(0, width).map(Math.abs))).toBe(0);
  }
});
