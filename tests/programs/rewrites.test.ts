import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { Shape } from '../../src/runtime/programs/ops.ts';
import { printProgram } from '../../src/runtime/programs/print.ts';
import { type Node, nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { normalizeOnce } from '../../src/runtime/rewrites/normalize-once.ts';
import { optimize, rewrites } from '../../src/runtime/rewrites/optimize.ts';
import { expectClose } from '../executables/tolerances.ts';
import { randomProgram } from './random-programs.ts';
import { randomNumbers, randomTensor } from './random-tensors.ts';

const random = randomNumbers(11);
const shapes = { x: [2, 3], y: [3, 2], w: [2, 3] };
const feeds = new Map(
  Object.entries(shapes).map(([name, shape]) => [
    name,
    randomTensor({ dtype: 'f32', shape, low: -1, high: 1 }, random),
  ]),
);

function expectSameValues(before: Program, after: Program): void {
  const expected = evaluate(before, feeds, 'f64');
  const actual = evaluate(verifyProgram(after), feeds, 'f64');
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, value] of expected)
    expectClose(
      actual.get(name)!,
      value,
      { absolute: 1e-5, relative: 1e-5 },
      `${name} of\n${printProgram(before)}`,
    );
}

/** Bit for bit, on random numbers of these shapes. */
function expectEqualValues(before: Program, after: Program, given: Readonly<Record<string, Shape>>): void {
  const values = new Map(
    Object.entries(given).map(([name, shape]) => [
      name,
      randomTensor({ dtype: 'f32', shape, low: -1, high: 1 }, random),
    ]),
  );
  const [expected, actual] = [evaluate(before, values), evaluate(after, values)];
  for (const [name, value] of expected) expect([...actual.get(name)!.data], name).toEqual([...value.data]);
}

const sources = (program: Program) =>
  nodesOf(program).flatMap((n) => (n.op === 'input' || n.op === 'parameter' ? [n.attributes.name] : []));

/** The program with gradients towards what it reads. */
const withGradients = (program: Program): Program =>
  differentiate(program, { loss: 'loss', withRespectTo: [...new Set(sources(program))] });

describe('rewrites keep every output', () => {
  for (const rewrite of [normalizeOnce, ...rewrites])
    test(rewrite.name, () => {
      fc.assert(
        fc.property(randomProgram, (program) => expectSameValues(program, rewrite.run(program))),
        { numRuns: 150 },
      );
    });

  test('all of them, after differentiation', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const gradients = withGradients(program);
        const optimized = optimize(gradients);
        expectSameValues(gradients, optimized);
        expect(nodesOf(optimized).length).toBeLessThanOrEqual(nodesOf(gradients).length);
      }),
      { numRuns: 200 },
    );
  });

  test('optimizing twice changes nothing', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const once = optimize(program);
        expect(printProgram(optimize(once))).toBe(printProgram(once));
      }),
      { numRuns: 100 },
    );
  });
});

describe('rewrites do their work', () => {
  const x = b.input('x', 'f32', [2, 3]);
  const y = b.input('y', 'f32', [2, 3]);
  const printed = (out: Parameters<typeof b.program>[1]) => printProgram(optimize(b.program('p', out)));

  test('the product takes transposes and scales', () => {
    expect(printed({ out: b.mul(b.matmul(x, b.transpose(y, [1, 0])), 0.5) })).toBe(
      [
        'program p',
        '  a: f32(2, 3) = input name=x',
        '  b: f32(2, 3) = input name=y',
        '  c: f32(2, 2) = matmul a b transposeB scale=0.5',
        '  out <- c',
        '',
      ].join('\n'),
    );
  });

  test('markers, neutral numbers and repeated work disappear', () => {
    const left = b.tanh(b.mul(b.stopGradient(x), 1));
    const right = b.tanh(b.add(b.reshape(b.reshape(x, [6]), [2, 3]), 0));
    expect(printed({ out: b.add(left, right) })).toBe(
      [
        'program p',
        '  a: f32(2, 3) = input name=x',
        '  b: f32(2, 3) = tanh a',
        '  c: f32(2, 3) = add b b',
        '  out <- c',
        '',
      ].join('\n'),
    );
  });

  test('constants are folded', () => {
    expect(printed({ out: b.mul(x, b.sqrt(b.mul(b.scalar(8), b.scalar(2)))) })).toContain(
      'constant value=4\n',
    );
  });

  test('the row sums in the gradient of attention come from its output, not from the scores', () => {
    const [T, E] = [8, 2];
    const q = b.input('q', 'f32', [T, E]);
    const v = b.input('v', 'f32', [T, E]);
    const p = b.softmax(b.matmul(q, q, { transposeB: true }));
    const program = differentiate(b.program('p', { loss: b.sum(b.tanh(b.matmul(p, v))) }), {
      loss: 'loss',
      withRespectTo: ['q', 'v'],
    });
    const optimized = optimize(program);
    const sums = nodesOf(optimized).flatMap((n) =>
      n.op === 'sum' && n.attributes.axes.length === 1 ? [n.inputs[0]!.shape] : [],
    );
    expect(sums).toEqual([[T, E]]);
    const values = new Map(
      ['q', 'v'].map((name) => [
        name,
        randomTensor({ dtype: 'f32', shape: [T, E], low: -1, high: 1 }, random),
      ]),
    );
    const [expected, actual] = [evaluate(program, values), evaluate(optimized, values)];
    for (const [name, value] of expected)
      expectClose(actual.get(name)!, value, { absolute: 1e-6, relative: 1e-5 }, name);
  });

  test('gradients of the parts of a fused product are joined, not padded and added', () => {
    const w = b.parameter('w', [3, 6]);
    const y = b.matmul(x, w);
    const parts = [0, 2, 4].map((start) => b.tanh(b.sliceAxis(y, 1, start, start + 2)));
    const loss = b.sum(b.mul(b.add(parts[0]!, parts[1]!), parts[2]!));
    const optimized = optimize(
      differentiate(b.program('p', { loss }), { loss: 'loss', withRespectTo: ['w'] }),
    );
    const ops = nodesOf(optimized).map((n) => n.op);
    expect(ops).not.toContain('pad');
    expect(ops.filter((op) => op === 'concat')).toHaveLength(1);
  });

  test('rows in the order of a table are a slice of it, and their gradient lies together', () => {
    const table = b.parameter('table', [5, 3]);
    const rows = b.gatherRows(table, b.integers([1, 2, 3], [1, 3]));
    const program = differentiate(b.program('p', { loss: b.sum(b.mul(rows, rows)) }), {
      loss: 'loss',
      withRespectTo: ['table'],
    });
    const optimized = optimize(program);
    const ops = nodesOf(optimized).map((n) => n.op);
    expect(ops).not.toContain('gatherRows');
    expect(ops).not.toContain('scatterRows');
    const values = new Map([
      ['table', randomTensor({ dtype: 'f32', shape: [5, 3], low: -1, high: 1 }, random)],
    ]);
    const [expected, actual] = [evaluate(program, values), evaluate(optimized, values)];
    for (const [name, value] of expected) expect([...actual.get(name)!.data]).toEqual([...value.data]);
    const apart = b.gatherRows(table, b.integers([1, 3, 4]));
    expect(nodesOf(optimize(b.program('p', { apart }))).map((n) => n.op)).toContain('gatherRows');
  });

  test('rows are normalized once for a layer norm and its gradient', () => {
    const norm = b.layerNorm(x, b.parameter('w', [3]), b.parameter('b', [3]), 1e-5);
    const program = differentiate(b.program('p', { loss: b.sum(b.tanh(norm)) }), {
      loss: 'loss',
      withRespectTo: ['x', 'w'],
    });
    const count = (one: Program) => nodesOf(one).filter((n) => n.op === 'layerNorm').length;
    expect(count(program)).toBe(2);
    const once = optimize(normalizeOnce.run(program));
    expect(count(once)).toBe(1);
    const vector = () => randomTensor({ dtype: 'f32', shape: [3], low: -1, high: 1 }, random);
    const values = new Map([...feeds, ['w', vector()], ['b', vector()]]);
    const [expected, actual] = [evaluate(program, values), evaluate(once, values)];
    for (const [name, value] of expected)
      expectClose(actual.get(name)!, value, { absolute: 1e-6, relative: 1e-5 }, name);
  });

  test('what is read from chunks of logits is computed with the chunk', () => {
    const [rows, width, vocabulary] = [4, 2, 1 << 18];
    const hidden = b.input('h', 'f32', [2 * rows, width]);
    const head = b.input('head', 'f32', [vocabulary, width]);
    const chunks = [0, rows].map((start) => {
      const logits = b.matmul(b.sliceAxis(hidden, 0, start, start + rows), head, { transposeB: true });
      const p = b.softmax(logits);
      return { largest: b.max(logits, [1]), mixture: b.matmul(p, head) };
    });
    const program = b.program('p', {
      largest: b.concat(
        chunks.map((c) => c.largest),
        0,
      ),
      mixture: b.concat(
        chunks.map((c) => c.mixture),
        0,
      ),
    });
    const optimized = optimize(program);
    // Both outputs hang on both bundles, each of one chunk's readers.
    const bundles = nodesOf(optimized).filter(
      (n) => n.op === 'concat' && n.shape.join() === String(rows + rows * width),
    );
    expect(bundles.map((n) => n.inputs.map((x) => (x.op === 'reshape' ? x.inputs[0]!.op : x.op)))).toEqual([
      ['max', 'matmul'],
      ['max', 'matmul'],
    ]);
    expect(printProgram(optimize(optimized))).toBe(printProgram(optimized));
    expectEqualValues(program, optimized, { h: hidden.shape, head: head.shape });
  });

  test('where one of them is large, what else is read from a tile of logits waits for it', () => {
    const [rows, width, vocabulary, parts] = [4096, 48, 512, 2];
    const hidden = b.input('h', 'f32', [rows, width]);
    const head = b.parameter('head', [vocabulary, width]);
    const tiles = Array.from({ length: parts }, (_, i) => {
      const some = b.sliceAxis(head, 0, (i * vocabulary) / parts, ((i + 1) * vocabulary) / parts);
      const logits = b.matmul(hidden, some, { transposeB: true });
      const p = b.softmax(logits);
      return { largest: b.max(logits, [1]), likeliest: b.max(p, [1]), mixture: b.matmul(p, some) };
    });
    const sumOf = (of: (tile: (typeof tiles)[number]) => Node) => tiles.map(of).reduce((x, y) => b.add(x, y));
    const program = b.program('p', {
      largest: sumOf((tile) => b.mul(tile.largest, tile.likeliest)),
      mixture: sumOf((tile) => tile.mixture),
    });
    const optimized = optimize(program);
    const waits = nodesOf(optimized).filter((n) => n.op === 'after');
    expect(waits.map((n) => n.inputs.map((x) => `${x.op} ${x.shape}`))).toEqual([
      [`concat ${2 * rows}`, `matmul ${rows},${width}`],
      [`concat ${2 * rows}`, `matmul ${rows},${width}`],
    ]);
    expect(printProgram(optimize(optimized))).toBe(printProgram(optimized));
    expectEqualValues(program, optimized, { h: hidden.shape, head: head.shape });
  });
});
