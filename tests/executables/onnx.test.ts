import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { emitOnnx, onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';

const vector = (...values: number[]): Tensor => ({
  dtype: 'f32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const x = b.input('x', 'f32', [2]);
const w = b.parameter('w', [2]);
const product = b.program('product', { y: b.mul(x, w) });

describe.each([reference, onnx])('$name', (executable) => {
  test('outputs belong to the caller', async () => {
    const executor = await executable.load(product, { frozen: new Map([['w', vector(2, 3)]]) });
    const first = (await executor.run(new Map([['x', vector(1, 1)]]))).get('y')!;
    const second = (await executor.run(new Map([['x', vector(5, 5)]]))).get('y')!;
    expect([[...first.data], [...second.data]]).toEqual([
      [2, 3],
      [10, 15],
    ]);
    await executor.dispose();
  });

  test('a value may be several outputs, and an input be one', async () => {
    const y = b.neg(x);
    const executor = await executable.load(b.program('p', { a: y, b: y, x, c: b.stopGradient(x) }));
    const outputs = await executor.run(new Map([['x', vector(1, -2)]]));
    expect([...outputs].map(([name, { data }]) => [name, ...data])).toEqual([
      ['a', -1, 2],
      ['b', -1, 2],
      ['x', 1, -2],
      ['c', 1, -2],
    ]);
    await executor.dispose();
  });

  test('a weight of one name is fed once, wherever it is read', async () => {
    const twice = b.program('p', { y: b.add(b.parameter('w', [2]), b.mul(b.parameter('w', [2]), x)) });
    const executor = await executable.load(twice);
    const outputs = await executor.run(
      new Map([
        ['x', vector(1, 2)],
        ['w', vector(10, 20)],
      ]),
    );
    expect([...outputs.get('y')!.data]).toEqual([20, 60]);
    await executor.dispose();
  });

  test('missing and misshapen feeds are named', async () => {
    const executor = await executable.load(product);
    await expect(executor.run(new Map([['x', vector(1, 2)]]))).rejects.toThrow(
      'the parameter "w" is not fed: it needs f32(2)',
    );
    const feeds = new Map([
      ['x', vector(1, 2, 3)],
      ['w', vector(1, 2)],
    ]);
    await expect(executor.run(feeds)).rejects.toThrow('the input "x" needs f32(2), was fed f32(3)');
    await executor.dispose();
  });
});

test.each([3, 300])(
  'rows with one of %i indices are summed exactly, by two threads, every time',
  async (rows) => {
    const [count, width] = [6000, 64];
    const sums = b.scatterRows(
      b.input('index', 'i32', [count]),
      b.input('rows', 'f32', [count, width]),
      rows,
    );
    const executor = await onnx.load(b.program('sums', { sums }), { threads: 2 });
    const feeds = new Map<string, Tensor>([
      [
        'index',
        { dtype: 'i32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % rows) },
      ],
      ['rows', { dtype: 'f32', shape: [count, width], data: new Float32Array(count * width).fill(1) }],
    ]);
    for (let run = 0; run < 20; run++) {
      const { data } = (await executor.run(feeds)).get('sums')!;
      expect(data.every((v) => v === count / rows)).toBe(true);
    }
    await executor.dispose();
  },
);

test('a frozen weight of another shape is refused', async () => {
  await expect(onnx.load(product, { frozen: new Map([['w', vector(1)]]) })).rejects.toThrow(
    'the parameter "w" needs f32(2), its value is f32(1)',
  );
});

test('emitted bytes are a model that onnxruntime opens: frozen weights inside, the others inputs', async () => {
  const ort: typeof import('onnxruntime-node') = createRequire(import.meta.url)('onnxruntime-node');
  const open = await ort.InferenceSession.create(emitOnnx(product));
  expect(open.inputNames).toEqual(['x', 'w']);
  const closed = await ort.InferenceSession.create(emitOnnx(product, new Map([['w', vector(2, -1)]])));
  expect([closed.inputNames, closed.outputNames]).toEqual([['x'], ['y']]);
  const { y } = await closed.run({ x: new ort.Tensor('float32', Float32Array.of(4, 5), [2]) });
  expect([...(y!.data as Float32Array)]).toEqual([8, -5]);
});
