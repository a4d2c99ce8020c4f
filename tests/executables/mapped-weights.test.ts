/** Frozen weights that lie in a file: the engine maps them, and computes what it computes from the same numbers in memory. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toHalves } from '../../src/runtime/checkpoints/half-numbers.ts';
import { numberFormats } from '../../src/runtime/checkpoints/number-formats.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { weightsMode } from '../../src/runtime/executables/onnx/weights-mode.ts';
import {
  add,
  gatherRows,
  input,
  matmul,
  mul,
  parameter,
  program,
  sliceAxis,
} from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { type StoredNumbers, storedTensor } from '../../src/runtime/programs/stored-numbers.ts';
import { randomNumbers } from '../programs/random-tensors.ts';
import { expectClose } from '../reference/close.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const [V, D] = [300, 240];
const random = randomNumbers(3);
const floats = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);

/** A table read row by row, in two products, and in part in two more, a small vector read twice, and a weight that is an output too. */
const built = (() => {
  const table = parameter('table', [V, D]);
  const scale = parameter('scale', [D]);
  const x = mul(gatherRows(table, input('ids', 'i32', [1, 5])), scale);
  const logits = matmul(x, table, { transposeB: true });
  const some = sliceAxis(table, 0, 17, 290);
  const part = matmul(matmul(x, some, { transposeB: true }), some);
  return program('mapped', {
    logits,
    back: mul(matmul(logits, table), scale),
    sum: add(scale, 1),
    table,
    part,
  });
})();
const ids: Tensor = { dtype: 'i32', shape: [1, 5], data: Int32Array.of(0, 299, 7, 7, 31) };

const bytesIn = (format: StoredNumbers['format'], values: Float32Array): Uint8Array => {
  const { buffer } = format === 'f32' ? values : toHalves(values, format);
  return new Uint8Array(buffer as ArrayBuffer);
};

/** Both weights in a file behind a few bytes, and the same numbers in memory. `read` counts who asks for the numbers. */
function stored(format: StoredNumbers['format'], start: number) {
  const directory = join(temporaryDirectory(), 'a model, 模型');
  mkdirSync(directory);
  const file = join(directory, 'model.safetensors');
  writeFileSync(file, new Uint8Array(start));
  const counted = { reads: 0 };
  const inFile = new Map<string, Tensor>();
  const inMemory = new Map<string, Tensor>();
  let offset = start;
  for (const [name, shape] of [['table', [V, D]] as const, ['scale', [D]] as const]) {
    const bytes = bytesIn(format, floats(shape.reduce((a, b) => a * b, 1)));
    appendFileSync(file, bytes);
    const data = numberFormats[format.toUpperCase()]!.convert!(bytes.slice()) as Float32Array;
    inMemory.set(name, { dtype: 'f32', shape, data });
    const read = () => {
      counted.reads++;
      return data;
    };
    inFile.set(name, storedTensor(shape, { file, offset, format }, read));
    offset += bytes.length;
  }
  return { inFile, inMemory, counted };
}

async function results(frozen: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const executor = await onnx.load(built, { frozen, memory: 'small' });
  await executor.run(new Map([['ids', ids]]));
  const outputs = await executor.run(new Map([['ids', ids]]));
  await executor.dispose();
  return outputs;
}

test.each(['f32', 'bf16', 'f16'] as const)(
  '%s: bit for bit, and nobody reads the numbers',
  async (format) => {
    const { inFile, inMemory, counted } = stored(format, 104);
    expect(await results(inFile)).toEqual(await results(inMemory));
    expect(counted.reads).toBe(0);
  },
);

test('rows of a weight that the engine packs are those of the weight', async () => {
  const { inMemory } = stored('f32', 104);
  const executor = await onnx.load(built, { frozen: inMemory, memory: 'fast' });
  const packed = await executor.run(new Map([['ids', ids]]));
  await executor.dispose();
  const expected = await results(inMemory);
  for (const [name, { data }] of expected)
    expectClose(packed.get(name)!.data, data, { absolute: 1e-5, relative: 1e-5 }, name);
});

test('numbers at odd places, and of a file that is gone, come from memory', async () => {
  for (const [start, gone] of [
    [105, false],
    [104, true],
  ] as const) {
    const { inFile, inMemory, counted } = stored('bf16', start);
    const frozen = gone
      ? new Map(
          [...inFile].map(([name, { shape, data }]) => [
            name,
            storedTensor(shape, nowhere, () => data as Float32Array),
          ]),
        )
      : inFile;
    expect(await results(frozen)).toEqual(await results(inMemory));
    expect(counted.reads).toBe(2);
  }
});

const nowhere = { file: '/nowhere/model.safetensors', offset: 0, format: 'bf16' } as const;

test('a copy of a stored tensor with other numbers does not lie in the file', async () => {
  const { inFile, inMemory } = stored('f32', 8);
  const doubled = (tensors: ReadonlyMap<string, Tensor>) =>
    new Map([...tensors].map(([name, t]) => [name, { ...t, data: Float32Array.from(t.data, (x) => 2 * x) }]));
  expect(await results(doubled(inFile))).toEqual(await results(doubled(inMemory)));
});

test('weights are packed up to a size, unless someone says how', () => {
  const f32 = (numbers: number) => [{ dtype: 'f32', shape: [numbers / 1024, 1024] } as const];
  expect(weightsMode(undefined, f32(134e6 - (134e6 % 1024)))).toBe('pack');
  expect(weightsMode(undefined, f32(250_000 * 1024))).toBe('feed');
  expect(weightsMode(undefined, [{ dtype: 'i8', shape: [1e9] }])).toBe('pack');
  expect(weightsMode('fast', f32(1e9))).toBe('pack');
  expect(weightsMode('small', [])).toBe('feed');
});
