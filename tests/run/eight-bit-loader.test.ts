/** What stays in f32 is measured on the first batch, said, kept in checkpoints, and the same for every program of a job. */
import { expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { add, input, matmul, parameter, program } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type Program, parametersOf } from '../../src/runtime/programs/program.ts';
import { decisionInCheckpoint, eightBitLoader, type Finish } from '../../src/runtime/run/eight-bit-loader.ts';
import { finishProgram } from '../../src/runtime/run/program-passes.ts';
import { randomNumbers, randomTensor } from '../programs/random-tensors.ts';
import { relativeError } from '../relative-error.ts';

const [rows, inner, columns] = [24, 64, 32];
const random = randomNumbers(3);
const normal = (shape: readonly number[]) => randomTensor({ dtype: 'f32', shape, low: -1, high: 1 }, random);

/** The first feature is a thousand times as large as the others, and `deaf` hardly reads it. */
const x = normal([rows, inner]);
const outliers = { ...x, data: x.data.map((v, i) => (i % inner === 0 ? 1000 : v)) } as Tensor;
const weight = normal([inner, columns]);
const deaf = { ...weight, data: weight.data.map((v, i) => (i < columns ? v / 1e4 : v)) } as Tensor;
const base = new Map([
  ['plain', weight],
  ['deaf', deaf],
]);
const feeds = (value: Tensor) => new Map([['x', value]]);
const treatment = { trained: new Set<string>() };

const product = (name: string) => matmul(input('x', 'f32', [rows, inner]), parameter(name, [inner, columns]));
const both = program('both', { y: add(product('plain'), product('deaf')) });
const second = program('second', { y: product('deaf') });

/** A loader, what it said, and the parameters of every program that it loaded. */
function listen() {
  const messages: string[] = [];
  const loaded: string[][] = [];
  const loader = eightBitLoader({
    load(one: Program, options) {
      loaded.push(parametersOf(one).map((node) => node.attributes.name));
      return onnx.load(one, options);
    },
    message: (_, text) => messages.push(text),
  });
  return { loader, messages, loaded };
}

const finishing =
  (one: Program): Finish =>
  (eightBit) =>
    finishProgram(() => one, { eightBit });

test('a product that loses too much on the first batch stays in f32', async () => {
  const { loader, messages, loaded } = listen();
  const executor = loader.load(finishing(both), treatment, base);
  expect(loaded).toEqual([]);
  const { data } = (await executor.run(feeds(outliers))).get('y')!;
  expect(loaded).toEqual([
    ['plain', 'plain.int8', 'plain.int8.scale', 'deaf', 'deaf.int8', 'deaf.int8.scale'],
    ['plain.int8', 'plain.int8.scale', 'deaf'],
  ]);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatch(
    /^int8: 1 of 2 products with frozen weights stay in f32, where int8 is off by more than 5 %: deaf \(\d+ %\)$/,
  );
  const exact = (await (await onnx.load(both, { frozen: base })).run(feeds(outliers))).get('y')!.data;
  expect(relativeError(data, exact)).toBeLessThan(0.01);
});

test('what was decided holds for the next program, and after a resume, whatever is fed then', async () => {
  const first = listen();
  await first.loader.load(finishing(both), treatment, base).run(feeds(outliers));
  await first.loader.load(finishing(second), treatment, base).run(feeds(x));
  expect(first.loaded.slice(2)).toEqual([['deaf']]);
  const saved = first.loader.checkpoint();
  const resumed = listen();
  await resumed.loader.restore(async (name) => saved.get(name) as Tensor);
  await resumed.loader.load(finishing(both), treatment, base).run(feeds(x));
  expect(resumed.loaded).toEqual([['plain.int8', 'plain.int8.scale', 'deaf']]);
  expect(resumed.messages).toEqual([]);
});

test('a product too large for a sum of squares stays in f32, after a resume too', async () => {
  const huge = { ...x, data: x.data.map((v) => 1e25 * v) } as Tensor;
  const first = listen();
  await first.loader.load(finishing(second), treatment, base).run(feeds(huge));
  expect(first.messages).toEqual([expect.stringMatching(/: 1 of 1 .*: deaf \(more than 1,000 %\)$/)]);
  const saved = first.loader.checkpoint();
  const resumed = listen();
  await resumed.loader.restore(async (name) => saved.get(name) as Tensor);
  await resumed.loader.load(finishing(second), treatment, base).run(feeds(x));
  expect(resumed.loaded).toEqual([['deaf']]);
  expect(resumed.loader.decision()).toBe(first.loader.decision());
});

test('the decision over all programs, from the loader and from its checkpoint alone', async () => {
  const { loader } = listen();
  expect(loader.decision()).toBeUndefined();
  await loader.load(finishing(second), treatment, base).run(feeds(outliers));
  await loader.load(finishing(both), treatment, base).run(feeds(outliers));
  const saved = loader.checkpoint();
  expect(loader.decision()).toMatch(/^int8: 1 of 2 products .* stay in f32, .*: deaf \(\d+ %\)$/);
  expect(await decisionInCheckpoint(async (name) => saved.get(name) as Tensor)).toBe(loader.decision());
});

test('a weight that is only multiplied in codes is not kept in f32', async () => {
  const { loader, messages } = listen();
  const kept: string[] = [];
  const read = new Set<string>();
  const counting = {
    keys: () => base.keys(),
    get(name: string) {
      kept.push(name);
      return base.get(name);
    },
    read(name: string) {
      read.add(name);
      return base.get(name)!;
    },
  };
  await loader.load(finishing(both), treatment, counting).run(feeds(x));
  expect(messages[0]).toMatch(/^int8: 2 products with frozen weights, each within [\d.]+ % of f32$/);
  expect(kept).toEqual([]);
  expect(read).toEqual(new Set(['plain', 'deaf']));
});
