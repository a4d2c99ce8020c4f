/** Products with frozen weights in eight bits: which ones, how far off, and that engines agree. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { linearCrossEntropy } from '../../src/runtime/losses/linear-cross-entropy.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import {
  gatherRows,
  input,
  matmul,
  parameter,
  program,
  softmax,
  sub,
} from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { nodesOf, type Program, parametersOf } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { eightBitParameters } from '../../src/runtime/rewrites/eight-bit-parameters.ts';
import { eightBitProducts } from '../../src/runtime/rewrites/eight-bit-products.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { randomNumbers } from '../programs/random-tensors.ts';
import { relativeError } from '../relative-error.ts';
import { applied, bareStep, families, feedsOf } from './tiny-models.ts';

const [rows, inner, columns] = [40, 512, 96];

function gaussian(shape: readonly number[], seed: number): { shape: readonly number[]; data: Float32Array } {
  const random = randomNumbers(seed);
  const one = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { shape, data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, one) };
}
const tensor = ({ shape, data }: ReturnType<typeof gaussian>): Tensor => ({ dtype: 'f32', shape, data });

const readBy = (one: Program) => {
  const names = new Set(parametersOf(one).map((node) => node.attributes.name));
  return (name: string) => names.has(name);
};

/** ‖y − y₈‖ / ‖y‖ of every row of x W or x Wᵀ, by the reference. */
async function errors(x: Float32Array, weight: Tensor, transposeB: boolean, scale = 1): Promise<number[]> {
  const k = weight.shape[transposeB ? 1 : 0]!;
  const left = input('x', 'f32', [x.length / k, k]);
  const plain = program('product', {
    y: matmul(left, parameter('w', weight.shape), { transposeB, scale }),
  });
  const coded = verifyProgram(eightBitProducts(() => true).run(plain));
  expect(readBy(coded)('w')).toBe(false);
  const feeds = new Map<string, Tensor>([['x', { dtype: 'f32', shape: left.shape, data: x }]]);
  const run = async (one: Program) => {
    const frozen = eightBitParameters(new Map([['w', weight]]), readBy(one));
    return (await (await reference.load(one, { frozen })).run(feeds)).get('y')!;
  };
  const [exact, near] = [await run(plain), await run(coded)];
  const n = exact.shape[1]!;
  return Array.from({ length: exact.shape[0]! }, (_, row) => {
    const part = ({ data }: Tensor) => data.subarray(row * n, (row + 1) * n);
    return relativeError(part(near), part(exact));
  });
}

describe('the error of one product', () => {
  const x = gaussian([rows, inner], 1).data;

  test.each([false, true])('is about one per cent on normal numbers (transposed: %s)', async (transposed) => {
    const weight = tensor(gaussian(transposed ? [columns, inner] : [inner, columns], 2));
    const found = await errors(x, weight, transposed, 0.5);
    expect(Math.max(...found)).toBeLessThan(0.02);
    expect(Math.min(...found)).toBeGreaterThan(0.005);
  });

  test('is the same where one row is a thousand times as large, and another one zero', async () => {
    const weight = tensor(gaussian([inner, columns], 2));
    const before = await errors(x, weight, false);
    const scaled = x.map((value, i) => (i < inner ? 1024 * value : i >= (rows - 1) * inner ? 0 : value));
    const after = await errors(scaled, weight, false);
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
    expect(after.at(-1)).toBeNaN();
  });

  test('grows with outliers inside of rows: what the other numbers say is lost', async () => {
    const weight = tensor(gaussian([inner, columns], 2));
    // One feature a hundred times as large, which this weight hardly reads.
    const quiet = { ...weight, data: weight.data.map((value, i) => (i < columns ? value / 1000 : value)) };
    const outliers = x.map((value, i) => (i % inner === 0 ? 100 + value : value));
    const found = await errors(outliers, quiet as Tensor, false);
    expect(Math.min(...found)).toBeGreaterThan(0.1);
  });
});

test('probabilities use all 256 codes', async () => {
  const width = 64;
  const logits = gaussian([8, width], 3);
  const weight = tensor(gaussian([width, 32], 4));
  const p = softmax(input('x', 'f32', [8, width]));
  const coded = eightBitProducts(() => true).run(
    program('mixture', { y: matmul(p, parameter('w', [width, 32])) }),
  );
  const signed = nodesOf(coded).flatMap((node) =>
    node.op === 'matmulCodes' ? [node.attributes.signed] : [],
  );
  expect(signed).toEqual([false]);
  const frozen = eightBitParameters(new Map([['w', weight]]), readBy(coded));
  const feeds = new Map([['x', tensor(logits)]]);
  const [actual, expected] = [
    await (await onnx.load(coded, { frozen })).run(feeds),
    await (await reference.load(coded, { frozen })).run(feeds),
  ];
  expect(relativeError(actual.get('y')!.data, expected.get('y')!.data)).toBeLessThan(1e-3);
});

test.each([
  [49_152, 16],
  [50_257, 29],
  [2000, 16],
  [332, 4],
  [101, 1],
  [257, undefined],
])('rows over a vocabulary of %i are cut into %s parts', (vocabulary, parts) => {
  const x = input('x', 'f32', [2, vocabulary]);
  const w = parameter('w', [vocabulary, 16]);
  for (const left of [softmax(x), x]) {
    const coded = eightBitProducts(() => true).run(program('mixture', { y: matmul(left, w) }));
    const found = nodesOf(coded).flatMap((n) => (n.op === 'matmulCodes' ? [n.inputs[1]!.shape[1]] : []));
    expect(found).toEqual(parts === undefined ? [] : [parts]);
  }
});

test('the gradient of cross-entropy vanishes where the label is certain, in codes as without them', async () => {
  const [vocabulary, width] = [32, 24];
  const weight = tensor(gaussian([vocabulary, width], 5));
  const labels = Int32Array.of(3, 31, 0);
  const w = parameter('w', [vocabulary, width]);
  const logits = Float32Array.from({ length: 3 * vocabulary }, (_, i) =>
    i % vocabulary === labels[Math.floor(i / vocabulary)]! ? 100 : 0,
  );
  const mixture = matmul(softmax(input('x', 'f32', [3, vocabulary])), w);
  const plain = program('gradient', { y: sub(gatherRows(w, input('labels', 'i32', [3])), mixture) });
  const coded = eightBitProducts(() => true).run(plain);
  expect(readBy(coded)('w')).toBe(false);
  const frozen = eightBitParameters(new Map([['w', weight]]), readBy(coded));
  const feeds = new Map<string, Tensor>([
    ['x', { dtype: 'f32', shape: [3, vocabulary], data: logits }],
    ['labels', { dtype: 'i32', shape: [3], data: labels }],
  ]);
  for (const engine of [onnx, reference]) {
    const { data } = (await (await engine.load(coded, { frozen })).run(feeds)).get('y')!;
    expect(Math.max(...data.map(Math.abs)), engine.name).toBeLessThan(2e-6);
  }
});

test('a head in tiles is read in the codes of the whole one, the rows of labels too', async () => {
  const [vocabulary, width] = [96, 24];
  const weight = tensor(gaussian([vocabulary, width], 6));
  const hidden = tensor(gaussian([40, width], 7));
  const labels = Int32Array.from({ length: 40 }, (_, i) => (i * 29) % vocabulary);
  const step = (chunkColumns: number) => {
    const { loss } = linearCrossEntropy({
      hidden: input('hidden', 'f32', [40, width]),
      head: parameter('head', [vocabulary, width]),
      labels: input('labels', 'i32', [40]),
      weights: input('weights', 'f32', [40]),
      chunkRows: 16,
      chunkColumns,
    });
    const built = differentiate(program('head', { loss }), { loss: 'loss', withRespectTo: ['hidden'] });
    return optimize(eightBitProducts(() => true).run(built));
  };
  const feeds = new Map<string, Tensor>([
    ['hidden', hidden],
    ['labels', { dtype: 'i32', shape: [40], data: labels }],
    ['weights', { dtype: 'f32', shape: [40], data: new Float32Array(40).fill(1 / 40) }],
  ]);
  const whole = step(vocabulary);
  const frozen = eightBitParameters(new Map([['head', weight]]), readBy(whole));
  const expected = await (await reference.load(whole, { frozen })).run(feeds);
  for (const columns of [32, 40]) {
    const tiled = step(columns);
    expect(readBy(tiled)('head')).toBe(false);
    expect(nodesOf(tiled).filter((n) => n.op === 'matmulCodes')).toHaveLength(2 * 3 * 3);
    for (const engine of [onnx, reference]) {
      const results = await (await engine.load(tiled, { frozen })).run(feeds);
      for (const [name, { data }] of expected)
        expect(relativeError(results.get(name)!.data, data), `${engine.name} ${name}`).toBeLessThan(5e-3);
    }
  }
});

describe.each(families)('a LoRA step of $modelType', (family, config) => {
  const method = applied(lora, [family, config], { r: 2, targets: ['q', 'v'] });
  const step = differentiate(method.rewrite(bareStep([family, config], lora)), {
    loss: 'loss',
    withRespectTo: method.trainable,
  });
  const trained = new Set(method.trainable);
  const frozen = (name: string) => !trained.has(name);
  const rewrite = eightBitProducts(frozen);
  const coded = rewrite.run(step);

  test('reads codes of the frozen weights wherever they are multiplied, in both directions', () => {
    expect(rewrite.verify!(coded)).toEqual([]);
    const left = nodesOf(coded).flatMap((node) => (node.op === 'matmul' ? [node.inputs[1]!] : []));
    const wide = left.filter((x) => x.op === 'parameter' && Math.min(...x.shape) >= 16);
    expect(wide).toEqual([]);
    const names = parametersOf(coded).map((node) => node.attributes.name);
    const head = family.head(config);
    const name = head.op === 'parameter' ? head.attributes.name : '';
    expect(names).toContain(`${name}.int8`);
    expect(names).toContain(`${name}.transposed.int8`);
  });

  test('keeps what is said to be kept', () => {
    const head = family.head(config) as { attributes: { name: string } };
    const { name } = head.attributes;
    const partly = eightBitProducts(frozen, ({ weight, transposed }) => weight === name && !transposed).run(
      step,
    );
    const reads = readBy(partly);
    expect([reads(name), reads(`${name}.int8`), reads(`${name}.transposed.int8`)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('gives the same by onnxruntime and by the reference, and nearly that of f32', async () => {
    const feeds = feedsOf(step);
    const base = new Map(
      [...feeds].filter(([name]) => parametersOf(step).some((p) => p.attributes.name === name)),
    );
    const whole = optimize(coded);
    const given = new Map([...feeds, ...eightBitParameters(base, readBy(whole))]);
    const run = async (engine: typeof onnx, one: Program) => {
      const executor = await engine.load(one);
      const read = new Set(
        nodesOf(one).flatMap((n) => (n.op === 'input' || n.op === 'parameter' ? [n.attributes.name] : [])),
      );
      return executor.run(new Map([...given].filter(([name]) => read.has(name))));
    };
    const exact = await run(reference, optimize(step));
    const oracle = await run(reference, whole);
    const actual = await run(onnx, whole);
    for (const [name, { data }] of oracle) {
      if (name === 'correct') continue;
      expect(relativeError(actual.get(name)!.data, data), name).toBeLessThan(5e-3);
      expect(relativeError(data, exact.get(name)!.data), name).toBeLessThan(name === 'loss' ? 0.02 : 0.3);
    }
  });
});
