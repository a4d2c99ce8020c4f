/** Paged state: the numbers of the unpaged optimizer bit for bit, whatever the size of a block, through a real file. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adam8bit } from '../../src/runtime/optimizers/adam8bit.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import type { Optimizer, OptimizerState, PagedArray } from '../../src/runtime/optimizers/optimizer.ts';
import { blocksOf } from '../../src/runtime/optimizers/page-blocks.ts';
import { type PageFile, paged } from '../../src/runtime/optimizers/paged.ts';
import { sgd } from '../../src/runtime/optimizers/sgd.ts';
import { openPageFile } from '../../src/runtime/run/page-file.ts';
import { numbers } from '../reference/optimizer-trajectories.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const path = join(temporaryDirectory(), 'work', 'optimizer.pages');
const open = (bytes: number) => openPageFile(path, bytes);

const sizes = { embedding: 10_000, norm: 33, weight: 5000, bias: 1, head: 4097 };
const start = () =>
  new Map(Object.entries(sizes).map(([name, size], i) => [name, numbers(i + 1, size, 0.1)]));
/** `bias` gets a gradient in every other step only. */
const gradients = (step: number) =>
  new Map(
    Object.entries(sizes)
      .filter(([name]) => name !== 'bias' || step % 2 === 0)
      .map(([name, size], i) => [name, numbers(100 * (step + 1) + i, size, 0.01)]),
  );

async function steps(
  optimizer: Optimizer,
  from = 0,
  to = 4,
  given?: Map<string, Float32Array>,
  state?: OptimizerState,
) {
  const parameters = given ?? start();
  const kept = state ?? optimizer.initialize(parameters);
  for (let step = from; step < to; step++) await optimizer.update(parameters, gradients(step), kept, 0.01);
  return { parameters, state: kept };
}

/** What a checkpoint would take. */
async function contents({ moments }: OptimizerState): Promise<Map<string, number[]>> {
  const all = new Map<string, number[]>();
  for (const [key, array] of moments) {
    if (!('chunks' in array)) all.set(key, [...array]);
    else {
      const bytes: number[] = [];
      for await (const chunk of array.chunks()) bytes.push(...chunk);
      const { buffer } = Uint8Array.from(bytes);
      all.set(key, [...(array.dtype === 'f32' ? new Float32Array(buffer) : new Uint8Array(buffer))]);
    }
  }
  return all;
}

const options = { weightDecay: 0.1, beta2: 0.99, decays: (name: string) => name !== 'norm' };
const chains = {
  adamw: adamw(options),
  adam8bit: adam8bit(options),
  sgd: sgd({ momentum: 0.9 }),
  plain: sgd(),
};

describe.each(Object.entries(chains))('%s', (_, chain) => {
  test.each([1, 3000, 20_000, 1 << 22])('blocks of %d bytes: parameters and state', async (blockBytes) => {
    const whole = await steps(chain);
    const pages = await steps(paged(chain, open, blockBytes));
    expect(pages.parameters).toEqual(whole.parameters);
    expect(await contents(pages.state)).toEqual(await contents(whole.state));
    await pages.state.close?.();
    expect(existsSync(path)).toBe(false);
  });

  test('what is saved, put into a new file, goes on as if nothing had been', async () => {
    const whole = await steps(chain);
    const first = await steps(paged(chain, open, 3000), 0, 2);
    const saved = await contents(first.state);
    await first.state.close?.();
    const optimizer = paged(chain, open, 20_000);
    const state = optimizer.initialize(first.parameters);
    state.step = first.state.step;
    for (const [key, array] of state.moments) await (array as PagedArray).set(saved.get(key)!);
    const second = await steps(optimizer, 2, 4, first.parameters, state);
    expect(second.parameters).toEqual(whole.parameters);
    expect(await contents(state)).toEqual(await contents(whole.state));
    await state.close?.();
  });
});

test('the file has the size that is planned, and memory holds three blocks', async () => {
  const shapes = new Map(Object.entries(sizes).map(([name, size]) => [name, [size]]));
  const optimizer = paged(adamw(), open, 24_000);
  const { state } = await steps(optimizer, 0, 1);
  const { memory, file } = optimizer.stateBytes(shapes);
  expect(statSync(path).size).toBe(file);
  const exact = adamw().stateBytes(shapes).memory;
  expect(file).toBeGreaterThanOrEqual(exact);
  expect(file).toBeLessThan(exact + 16 * Object.keys(sizes).length * 8);
  expect(memory).toBeLessThanOrEqual(3 * 24_000);
  await state.close?.();
});

test('a model of 65 billion numbers is planned too: 12 MiB at hand, 8 bytes a number in the file', () => {
  const shapes = new Map(Array.from({ length: 80 }, (_, i) => [`block ${i}`, [8192, 100_000]]));
  const { memory, file } = paged(adamw(), open).stateBytes(shapes);
  expect(memory).toBeLessThanOrEqual(3 * 4 * 2 ** 20);
  expect(file).toBe(8 * 80 * 8192 * 100_000);
});

test('blocks cover every element once, in order, within their size where a grain fits', () => {
  const some = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 100_000 }), (lengths, blockBytes) => {
      const table = new Map(lengths.map((length, i) => [`${i}`, length]));
      const blocks = blocksOf(chains.adam8bit, table, blockBytes);
      let position = 0;
      const covered = new Map([...table.keys()].map((name) => [name, 0]));
      for (const block of blocks) {
        expect(block.position).toBe(position);
        position += block.bytes;
        expect(block.bytes).toBeLessThanOrEqual(Math.max(blockBytes + 8 * 4 * lengths.length, 2048));
        for (const { name, start: from, count } of block.segments) {
          expect(from).toBe(covered.get(name));
          expect(from % 256).toBe(0);
          covered.set(name, from + count);
        }
      }
      expect(covered).toEqual(table);
    }),
  );
});

test('an error of the file reaches who waits for the update', async () => {
  const full = async (bytes: number): Promise<PageFile> => {
    const file = await open(bytes);
    let writes = 0;
    return {
      ...file,
      write: (from, at) => (++writes === 2 ? Promise.reject(new Error('no room')) : file.write(from, at)),
    };
  };
  const optimizer = paged(adamw(), full, 3000);
  const parameters = start();
  const state = optimizer.initialize(parameters);
  await expect(optimizer.update(parameters, gradients(0), state, 0.01)).rejects.toThrow('no room');
  await state.close?.();
});
