/** What a program takes of memory, by hand where it can be counted. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, type Chunk } from '../../src/runtime/executables/onnx/arena.ts';
import { executionPlan } from '../../src/runtime/executables/onnx/execution-plan.ts';
import { liveBytes } from '../../src/runtime/executables/onnx/live-bytes.ts';
import { lowerToOnnx } from '../../src/runtime/executables/onnx/lower.ts';
import { sessionMemory } from '../../src/runtime/executables/onnx/session-memory.ts';
import { typesOfValues } from '../../src/runtime/executables/onnx/value-shapes.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { OpName } from '../../src/runtime/programs/ops.ts';
import type { Node, Program } from '../../src/runtime/programs/program.ts';
import { opCases } from '../programs/op-cases.ts';

describe('the shape of every value is known', () => {
  test.each(Object.keys(opCases) as OpName[])('%s', (op) => {
    for (const { operands, build } of opCases[op]) {
      const result = build(...operands.map(({ dtype, shape }, i) => b.input(`x${i}`, dtype, shape)));
      const { model, outputs } = lowerToOnnx(b.program(op, { result }), new Map(), 'feed');
      const { dtype, shape } = typesOfValues(model).get(outputs.get('result')!)!;
      expect({ dtype, shape }).toEqual({ dtype: result.dtype, shape: result.shape });
    }
  });
});

describe('the arena', () => {
  const MB = 1 << 20;

  test('grows by regions twice as large, and only what was written counts', () => {
    const arena = new Arena();
    arena.allocate(600_000); // all of the first region of 1 MiB: less than half would be left
    arena.allocate(5 * MB); // a region of 8 MiB
    expect(arena.touchedBytes).toBe(4096 * Math.ceil(600_000 / 4096) + 5 * MB);
  });

  test('takes the smallest chunk that is large enough, and splits one that is twice as large', () => {
    const arena = new Arena();
    const all = arena.allocate(8 * MB);
    arena.free(all);
    const half = arena.allocate(3 * MB);
    expect([half.start, half.size]).toEqual([0, 3 * MB]);
    const rest = arena.allocate(4 * MB);
    expect([rest.start, rest.size]).toEqual([3 * MB, 5 * MB]);
    arena.free(half);
    expect(arena.allocate(2 * MB).size).toBe(3 * MB);
    expect(arena.touchedBytes).toBe(8 * MB);
  });

  test('joins free neighbours', () => {
    const arena = new Arena();
    arena.free(arena.allocate(64 * MB));
    const [one, two, three] = [arena.allocate(10 * MB), arena.allocate(10 * MB), arena.allocate(10 * MB)];
    arena.free(one);
    arena.free(three);
    arena.free(two);
    expect(arena.allocate(60 * MB).start).toBe(0);
    expect(arena.touchedBytes).toBe(64 * MB);
  });

  test('holds at least what is in use, and no chunk lies on another', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 3_000_000 }), keep: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const arena = new Arena();
        const used = new Map<Chunk, number>();
        for (const { bytes, keep } of steps) {
          const [first] = used.keys();
          if (!keep && first) {
            arena.free(first);
            used.delete(first);
          } else used.set(arena.allocate(bytes), bytes);
          const chunks = [...used.keys()];
          for (const chunk of chunks) {
            const clash = chunks.some(
              (other) =>
                other !== chunk &&
                other.region === chunk.region &&
                other.start < chunk.start + chunk.size &&
                chunk.start < other.start + other.size,
            );
            expect(clash).toBe(false);
            expect(chunk.size).toBeGreaterThanOrEqual(used.get(chunk)!);
          }
          expect(arena.touchedBytes).toBeGreaterThanOrEqual([...used.values()].reduce((a, n) => a + n, 0));
        }
      }),
    );
  });
});

const N = 256;
const BYTES = 4 * N * N;
const x = b.input('x', 'f32', [N, N]);
const weight = (name: string) => b.parameter(name, [N, N]);

function plan(program: Program) {
  const { model } = lowerToOnnx(program, new Map(), 'feed');
  return executionPlan(model, typesOfValues(model));
}

describe('buffers', () => {
  const chain = (first: Node, ...steps: ((value: Node) => Node)[]) => steps.reduce((y, f) => f(y), first);
  const sizes = (program: Program) => plan(program).buffers.filter(({ bytes }) => bytes === BYTES).length;

  test('two serve a chain of any length; some operations write over their operand', () => {
    const start = b.matmul(x, weight('w'));
    const exps = chain(start, b.exp, b.exp, b.exp, b.exp, b.sum);
    expect(sizes(b.program('p', { y: exps }))).toBe(2);
    const tanhs = chain(start, b.tanh, b.tanh, b.tanh, b.tanh, b.sum);
    expect(sizes(b.program('p', { y: tanhs }))).toBe(1);
  });

  test('a value that is read again keeps its own', () => {
    const start = b.matmul(x, weight('w'));
    const y = b.sum(b.mul(start, chain(start, b.exp, b.exp, b.exp)));
    expect(sizes(b.program('p', { y }))).toBe(3);
  });

  test('a free buffer is held for the next value of its shape, though another one lies between', () => {
    const thin = b.input('thin', 'f32', [N, 8]);
    const total = (start: Node | number, columns: number, name: string) =>
      b.sum(b.matmul(b.add(thin, start), b.parameter(name, [8, columns])));
    const other = 4 * N * (N - 16);
    const [one, between] = [total(0, N, 'u'), total(total(0, N, 'u'), N - 16, 'v')];
    const small = 2 * 4 * N * 8 + 100;
    const most = (y: Node) => liveBytes(b.program('p', { y }), 4).activations;
    expect(most(one)).toBeGreaterThanOrEqual(BYTES);
    expect(most(one)).toBeLessThan(BYTES + small);
    expect(most(between)).toBeLessThan(BYTES + small);
    expect(most(total(between, N, 'w'))).toBeGreaterThanOrEqual(BYTES + other);
  });
});

describe('weights', () => {
  const frozen = new Set(['w']);

  test('one that is read in both directions is packed twice, however many products read it', () => {
    const w = weight('w');
    const forward = b.matmul(x, w);
    const both = b.matmul(b.exp(forward), w, { transposeB: true });
    const more = b.matmul(b.exp(both), w);
    expect(sessionMemory(b.program('p', { y: forward }), { frozen }).packed).toBe(BYTES);
    expect(sessionMemory(b.program('p', { y: both }), { frozen }).packed).toBe(2 * BYTES);
    const three = sessionMemory(b.program('p', { y: more }), { frozen });
    expect(three.packed).toBe(2 * BYTES);
    expect(three.loading).toBe(2 * BYTES);
    expect(sessionMemory(b.program('p', { y: more }), { frozen, memory: 'small' }).packed).toBe(0);
    expect(sessionMemory(b.program('p', { y: more })).packed).toBe(0);
  });

  test('columns are packed by sixteen', () => {
    const narrow = b.matmul(x, b.parameter('w', [N, 3]));
    expect(sessionMemory(b.program('p', { y: narrow }), { frozen }).packed).toBe(4 * N * 16);
  });

  test('one that is added stays as it is; a constant that is computed from nothing else is kept', () => {
    const added = sessionMemory(b.program('p', { y: b.add(x, weight('w')) }), { frozen });
    expect([added.packed, added.constants]).toEqual([0, BYTES]);
    const rows = b.scatterRows(b.input('i', 'i32', [4]), b.input('rows', 'f32', [4, N]), 2 * N);
    const { constants } = sessionMemory(b.program('p', { y: b.sum(rows) }));
    expect(constants).toBeGreaterThanOrEqual(2 * BYTES); // the zeros that rows are added to
    expect(constants).toBeLessThan(2 * BYTES + 1000);
  });
});

test('results live to the end; on another device numbers may be smaller', () => {
  const [one, two] = [b.matmul(x, weight('u')), b.matmul(x, weight('w'))];
  const program = b.program('p', { one, two, sum: b.sum(b.mul(one, two)) });
  expect(sessionMemory(program).outputs).toBe(2 * BYTES + 4);
  expect(liveBytes(program, 4)).toEqual({ outputs: 2 * BYTES + 4, activations: BYTES });
  expect(liveBytes(program, 2)).toEqual({ outputs: BYTES + 2, activations: BYTES / 2 });
});
