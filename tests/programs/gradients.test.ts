import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { gradientRules } from '../../src/runtime/gradients/rules.ts';
import * as b from '../../src/runtime/programs/builder.ts';
import type { OpName, Shape } from '../../src/runtime/programs/ops.ts';
import { type Node, nodesOf } from '../../src/runtime/programs/program.ts';
import { expectGradients, weightedSum } from './finite-differences.ts';
import { opCases } from './op-cases.ts';
import { programOf, randomNumbers, randomTensor } from './random-tensors.ts';

/**
 * Rounding to integers is flat; a value behind stopGradient has no gradient on purpose; attached ones are what is attached;
 * quantized weights are frozen, and products in eight bits come after differentiation.
 */
const notByDifferences: readonly OpName[] = [
  'stopGradient',
  'attachGradient',
  'dequantize',
  'absmax',
  'quantizeRows',
  'matmulCodes',
];

describe('gradients equal central differences', () => {
  for (const [op, cases] of Object.entries(opCases)) {
    if (notByDifferences.includes(op as OpName)) continue;
    test(op, () => {
      let checked = 0;
      for (const [i, opCase] of cases.entries()) {
        const { program, feeds } = programOf(`${op} ${i}`, opCase, 3 * i + 5);
        const y = program.outputs.get('y')!;
        if (y.dtype !== 'f32') continue;
        const names = [...feeds].flatMap(([name, value]) => (value.dtype === 'f32' ? [name] : []));
        checked += expectGradients(b.program(program.name, { loss: weightedSum(y, i) }), feeds, names);
      }
      const flat = gradientRules[op as OpName] === 'none' && !['input', 'parameter', 'constant'].includes(op);
      expect(checked > 0).toBe(!flat);
    });
  }
});

const f32 = (shape: Shape) => ({ dtype: 'f32', shape, low: -1, high: 1 }) as const;

describe('on random shapes', () => {
  const size = fc.integer({ min: 1, max: 3 });

  test('matmul with broadcast leading axes and transposes', () => {
    const lead = fc.array(fc.tuple(size, fc.constantFrom('both', 'a', 'b', 'missing')), { maxLength: 2 });
    fc.assert(
      fc.property(
        lead,
        size,
        size,
        size,
        fc.boolean(),
        fc.boolean(),
        fc.integer(),
        (axes, m, k, n, tA, tB, seed) => {
          const leadA = axes.map(([d, who]) => (who === 'b' ? 1 : d));
          const present = axes.findIndex(([, who]) => who !== 'missing');
          const leadB = axes
            .slice(present === -1 ? axes.length : present)
            .map(([d, who]) => (who === 'both' || who === 'b' ? d : 1));
          const random = randomNumbers(seed);
          const feeds = new Map([
            ['a', randomTensor(f32([...leadA, ...(tA ? [k, m] : [m, k])]), random)],
            ['b', randomTensor(f32([...leadB, ...(tB ? [n, k] : [k, n])]), random)],
          ]);
          const [left, right] = [...feeds].map(([name, v]) => b.input(name, 'f32', v.shape));
          const y = b.matmul(left!, right!, { transposeA: tA, transposeB: tB, scale: 0.5 });
          expectGradients(b.program('matmul', { loss: weightedSum(y, seed) }), feeds, ['a', 'b']);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a small network: norms, attention, a gate', () => {
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 2 }), fc.integer(), (batch, tokens, heads, seed) => {
        const width = 4 * heads;
        const names = {
          x: [batch, tokens, width],
          q: [width, width],
          k: [width, width],
          n: [width],
          g: [width, 3],
        };
        const random = randomNumbers(seed);
        const feeds = new Map(
          Object.entries(names).map(([name, shape]) => [name, randomTensor(f32(shape), random)]),
        );
        const node = (name: keyof typeof names) => b.input(name, 'f32', names[name]);
        const [x, q, k, n, g] = [node('x'), node('q'), node('k'), node('n'), node('g')];
        const split = (v: Node) => b.transpose(b.reshape(v, [batch, tokens, heads, 4]), [0, 2, 1, 3]);
        const h = b.rmsNorm(x, n, 1e-3);
        const queries = split(b.matmul(h, q));
        const keys = split(b.add(b.matmul(h, k, { transposeB: true }), b.rotateHalf(h)));
        const p = b.softmax(b.matmul(queries, keys, { transposeB: true, scale: 0.5 }));
        const mixed = b.reshape(b.transpose(b.matmul(p, keys), [0, 2, 1, 3]), [batch, tokens, width]);
        const y = b.silu(b.matmul(b.add(x, mixed), g));
        expectGradients(b.program('network', { loss: weightedSum(y, seed) }), feeds, Object.keys(names));
      }),
      { numRuns: 8 },
    );
  });
});

describe('differentiate', () => {
  const x = b.input('x', 'f32', [2]);
  const w = b.parameter('w', [2]);

  test('attachGradient passes the incoming number times what was attached', () => {
    const attached = b.attachGradient(b.sum(x), [[w, b.mul(x, 3)]]);
    const program = differentiate(b.program('p', { loss: b.mul(attached, 2) }), {
      loss: 'loss',
      withRespectTo: ['w', 'x'],
    });
    const feeds = new Map(
      ['x', 'w'].map((name) => [name, { dtype: 'f32', shape: [2], data: Float32Array.of(1, 10) } as const]),
    );
    const outputs = evaluate(program, feeds);
    expect([...outputs.get('loss')!.data]).toEqual([22]);
    expect([...outputs.get('grad:w')!.data]).toEqual([6, 60]);
    expect([...outputs.get('grad:x')!.data]).toEqual([0, 0]);
  });

  test('stopGradient stops', () => {
    const program = differentiate(b.program('p', { loss: b.sum(b.mul(b.stopGradient(x), x)) }), {
      loss: 'loss',
      withRespectTo: ['x'],
    });
    const outputs = evaluate(
      program,
      new Map([['x', { dtype: 'f32', shape: [2], data: Float32Array.of(3, -4) }]]),
    );
    expect([...outputs.get('grad:x')!.data]).toEqual([3, -4]);
  });

  test('a weight read by several nodes of its name has one gradient', () => {
    const loss = b.sum(b.mul(b.parameter('w', [2]), b.parameter('w', [2])));
    const program = differentiate(b.program('p', { loss }), { loss: 'loss', withRespectTo: ['w'] });
    const outputs = evaluate(
      program,
      new Map([['w', { dtype: 'f32', shape: [2], data: Float32Array.of(3, -4) }]]),
    );
    expect([...outputs.get('grad:w')!.data]).toEqual([6, -8]);
  });

  test('below the lowest trained tensor nothing is differentiated', () => {
    const frozen = b.parameter('frozen', [4, 4]);
    const trained = b.parameter('trained', [4, 4]);
    const ids = b.input('x', 'f32', [3, 4]);
    const h = b.silu(b.matmul(ids, frozen));
    const program = b.program('p', { loss: b.sum(b.matmul(h, trained)) });
    const gradient = differentiate(program, { loss: 'loss', withRespectTo: ['trained'] });
    const products = nodesOf(gradient).filter((n) => n.op === 'matmul');
    expect(products.map((n) => n.shape)).toEqual([
      [3, 4],
      [3, 4],
      [4, 4],
    ]);
  });

  test('the gradient of a weight is one product of flattened rows', () => {
    const h = b.input('h', 'f32', [2, 3, 4]);
    const program = b.program('p', {
      loss: weightedSum(b.matmul(h, b.parameter('w', [5, 4]), { transposeB: true }), 1),
    });
    const gradient = differentiate(program, { loss: 'loss', withRespectTo: ['w'] }).outputs.get('grad:w')!;
    expect([gradient.op, gradient.attributes, gradient.inputs.map((n) => n.shape)]).toEqual([
      'matmul',
      { transposeA: true, transposeB: false, scale: 1 },
      [
        [6, 5],
        [6, 4],
      ],
    ]);
  });

  test('errors say what is wrong', () => {
    const program = b.program('p', { loss: x, ok: b.sum(x) });
    expect(() => differentiate(program, { loss: 'lost', withRespectTo: [] })).toThrow(
      'program p has no output "lost"',
    );
    expect(() => differentiate(program, { loss: 'loss', withRespectTo: [] })).toThrow(
      'must be one f32 number, is f32(2)',
    );
    expect(() => differentiate(program, { loss: 'ok', withRespectTo: ['v'] })).toThrow('does not read "v"');
  });
});
