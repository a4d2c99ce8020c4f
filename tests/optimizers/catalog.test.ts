/** Every optimizer of the catalog: it finds the bottom of a bowl, and its state has the size that is planned. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { catalog, optimizers } from '../../src/runtime/catalog.ts';
import type { StateArray } from '../../src/runtime/optimizers/optimizer.ts';
import { openPageFile } from '../../src/runtime/run/page-file.ts';
import { numbers } from '../reference/optimizer-trajectories.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = temporaryDirectory();
const openPages = (bytes: number) => openPageFile(join(directory, 'pages'), bytes);
const shapes = new Map([
  ['matrix', [70, 90]],
  ['small', [5, 8]],
  ['vector', [33]],
]);

/** A stage's options as the compiler completes them. */
function optionsOf(text: string) {
  const { graph, diagnostics } = compile({ path: 'x.ftp', text }, { catalog });
  if (!graph) throw new Error(JSON.stringify(diagnostics));
  return graph.jobs.at(-1)!.options;
}

const stage = (optimizer: string, more = '') =>
  `pretrain(data=text("x.txt") model=llama optimizer=${optimizer} weight_decay=0 ${more})`;
const targets = new Map([...shapes].map(([name, shape], i) => [name, numbers(i + 1, sizeOf(shape), 1)]));

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

const N = 70 * 90 + 5 * 8 + 33;
/** The 6300 elements of the matrix are 25 blocks; the others keep single precision. */
const adam8bitBytes = 2 * (6300 + 4 * 25) + 8 * (40 + 33);
const stateBytes: { readonly [name: string]: number } = {
  adamw: 8 * N,
  sgd: 4 * N,
  lion: 4 * N,
  adafactor: 4 * (70 + 90 + 5 + 8 + 33),
  adam8bit: adam8bitBytes,
  paged_adamw: 8 * N,
  paged_adamw8bit: adam8bitBytes,
};

function bytesOf(array: StateArray): number {
  const single = 'dtype' in array ? array.dtype === 'f32' : array instanceof Float32Array;
  return (single ? 4 : 1) * array.length;
}

/** Learning rates at which each comes down in 300 steps. */
const rates: { readonly [name: string]: number } = { sgd: 0.2, lion: 0.05, adafactor: 0.1 };

describe.each(Object.entries(optimizers))('%s', (name, kind) => {
  test('finds the bottom of ½ Σ d (w − target)², d from 0.1 to 1', async () => {
    const optimizer = kind.create(optionsOf(stage(name)), { shapes, openPages });
    const parameters = new Map([...shapes].map(([n, shape]) => [n, new Float32Array(sizeOf(shape))]));
    const state = optimizer.initialize(parameters);
    const bend = (i: number) => 0.1 + (0.9 * ((i * 7) % 10)) / 9;
    const loss = () => {
      let sum = 0;
      for (const [n, w] of parameters)
        for (const [i, x] of w.entries()) sum += (bend(i) * (x - targets.get(n)![i]!) ** 2) / 2;
      return sum;
    };
    const before = loss();
    for (let step = 0; step < 300; step++) {
      const gradients = new Map(
        [...parameters].map(([n, w]) => [n, w.map((x, i) => bend(i) * (x - targets.get(n)![i]!))]),
      );
      await optimizer.update(parameters, gradients, state, (rates[name] ?? 0.05) * (1 - step / 300));
    }
    expect(loss()).toBeLessThan(before / 1000);
    await state.close?.();
  });

  test('the bytes of its state are those that the plan counts', () => {
    const optimizer = kind.create(optionsOf(stage(name)), { shapes, openPages });
    const parameters = new Map([...shapes].map(([n, shape]) => [n, new Float32Array(sizeOf(shape))]));
    const { memory, file } = optimizer.stateBytes(shapes);
    const arrays = [...optimizer.initialize(parameters).moments.values()];
    expect(arrays.reduce((n, array) => n + bytesOf(array), 0)).toBe(stateBytes[name]);
    if (file === 0) expect(memory).toBe(stateBytes[name]);
    else {
      // Each array begins at a multiple of eight bytes; all of them are one block, of which there are three in memory.
      expect(Math.abs(file - stateBytes[name]! - 4 * arrays.length)).toBeLessThanOrEqual(4 * arrays.length);
      expect(memory).toBe(3 * file);
    }
  });
});

test.each(Object.entries(optimizers))('the example of %s compiles and uses it', (name, { entry }) => {
  expect(entry.name).toBe(name);
  expect(optionsOf(entry.example).optimizer).toBe(name);
});

test('options: an optimizer brings its own defaults, else the stage has them', () => {
  const used = ['beta1', 'beta2', 'epsilon', 'momentum', 'nesterov', 'decay_rate', 'update_clip'];
  const of = (text: string) => {
    const options = optionsOf(text);
    return Object.fromEntries(used.flatMap((name) => (name in options ? [[name, options[name]]] : [])));
  };
  const adam = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
  expect(of(stage('adamw'))).toEqual(adam);
  expect(of(stage('adam8bit'))).toEqual(adam);
  expect(of(stage('paged_adamw8bit', 'beta2=0.9'))).toEqual({ ...adam, beta2: 0.9 });
  expect(of(stage('sgd'))).toEqual({ momentum: 0.9, nesterov: false });
  expect(of(stage('lion'))).toEqual({ beta1: 0.9, beta2: 0.99 });
  expect(of(stage('adafactor'))).toEqual({ beta1: 0, epsilon: 1e-30, decay_rate: 0.8, update_clip: 1 });
  expect(of('pretrain → rm → ppo')).toEqual({ beta1: 0.9, beta2: 0.999, epsilon: 1e-5 });
  expect(optionsOf(stage('adamw'))).toEqual(optionsOf(stage('adamw').replace('optimizer=adamw ', '')));
});

test.each([
  ['sgd', 'beta2=0.9', 'beta2 belongs to adamw, lion, adam8bit, paged_adamw, paged_adamw8bit'],
  ['lion', 'epsilon=1e-3', 'epsilon belongs to adamw, adafactor, adam8bit, paged_adamw, paged_adamw8bit'],
  ['adafactor', 'beta2=0.9', 'beta2 belongs to adamw, lion, adam8bit, paged_adamw, paged_adamw8bit'],
  ['adamw', 'momentum=0.5', 'momentum belongs to sgd'],
  ['sgd', 'momentum=0 nesterov=true', 'without momentum there is nothing to follow'],
])('optimizer=%s %s is refused where it stands', (name, more, note) => {
  const text = stage(name, more);
  const { diagnostics } = compile({ path: 'x.ftp', text }, { catalog });
  const written = more.split(' ').at(-1)!;
  expect(diagnostics.map((d) => [d.name, text.slice(d.span!.start, d.span!.end)])).toEqual([
    ['without-effect', written],
  ]);
  expect(JSON.stringify(diagnostics)).toContain(note);
});

test('a name that is no optimizer is one problem, not several', () => {
  const { diagnostics } = compile({ path: 'x.ftp', text: stage('adam', 'beta1=0.8') }, { catalog });
  expect(diagnostics.map((d) => d.name)).toEqual(['not-a-choice']);
});
