/** The shape and number type of every operation's value, and the errors of operands that do not fit. */
import { codeBytes } from '../quantization/quantized-tensor.ts';
import * as codes from './code-shapes.ts';
import type { OpAttributes, OpName, Shape } from './ops.ts';
import type { Node } from './program.ts';
import { sizeOf } from './program.ts';
import * as selection from './selection-shapes.ts';
import { broadcastShapes, float, need, type Rule, ShapeError, same, type Typed } from './shape-rule.ts';

export { broadcastShapes, ShapeError } from './shape-rule.ts';

const unary = ([x]: readonly Typed[]): Typed => {
  float([x!]);
  return { shape: x!.shape, dtype: 'f32' };
};
const binary = ([a, b]: readonly Typed[]): Typed => {
  need(a!.dtype === b!.dtype && a!.dtype !== 'bool', () => `operands are ${a!.dtype} and ${b!.dtype}`);
  return { shape: broadcastShapes(a!.shape, b!.shape), dtype: a!.dtype };
};
const comparison = (inputs: readonly Typed[]): Typed => ({ shape: binary(inputs).shape, dtype: 'bool' });

function reduce([x]: readonly Typed[], a: { axes: readonly number[]; keepDims: boolean }): Typed {
  float([x!]);
  need(
    a.axes.every((i) => Number.isInteger(i) && i >= 0 && i < x!.shape.length),
    () => `axes ${a.axes} of (${x!.shape})`,
  );
  const shape = x!.shape.flatMap((n, i) => (a.axes.includes(i) ? (a.keepDims ? [1] : []) : [n]));
  return { shape, dtype: 'f32' };
}

/** Sources carry their own type: the builder makes them. */
const source = (): Typed => {
  throw new ShapeError('a source has no shape rule');
};

const shapeRules: { readonly [K in OpName]: Rule<K> } = {
  input: source,
  parameter: source,
  constant: (_, a) => ({ shape: a.value.shape, dtype: a.value.dtype }),
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  maximum: binary,
  minimum: binary,
  greater: comparison,
  greaterEqual: comparison,
  equal: comparison,
  where: ([c, a, b]) => {
    need(c!.dtype === 'bool', () => `the condition must be bool, is ${c!.dtype}`);
    const value = binary([a!, b!]);
    return { shape: broadcastShapes(c!.shape, value.shape), dtype: value.dtype };
  },
  neg: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  reciprocal: unary,
  tanh: unary,
  erf: unary,
  sigmoid: unary,
  softplus: unary,
  cast: ([x], a) => ({ shape: x!.shape, dtype: a.to }),
  sum: reduce,
  mean: reduce,
  max: reduce,
  argmax: ([x]) => {
    float([x!]);
    need(x!.shape.length > 0, () => 'argmax needs an axis');
    return { shape: x!.shape.slice(0, -1), dtype: 'i32' };
  },
  softmax: unary,
  logSoftmax: unary,
  reshape: ([x], a) => {
    need(sizeOf(x!.shape) === sizeOf(a.shape), () => `(${x!.shape}) cannot become (${a.shape})`);
    return { shape: a.shape, dtype: x!.dtype };
  },
  transpose: ([x], a) => {
    const sorted = [...a.permutation].sort((i, j) => i - j);
    need(
      same(
        sorted,
        x!.shape.map((_, i) => i),
      ),
      () => `permutation ${a.permutation} of (${x!.shape})`,
    );
    return { shape: a.permutation.map((i) => x!.shape[i]!), dtype: x!.dtype };
  },
  expand: ([x], a) => {
    need(
      same(broadcastShapes(x!.shape, a.shape), a.shape),
      () => `(${x!.shape}) does not expand to (${a.shape})`,
    );
    return { shape: a.shape, dtype: x!.dtype };
  },
  slice: ([x], a) => {
    need(
      a.starts.length === x!.shape.length && a.ends.length === x!.shape.length,
      () => 'one start and end an axis',
    );
    need(
      x!.shape.every((n, i) => 0 <= a.starts[i]! && a.starts[i]! <= a.ends[i]! && a.ends[i]! <= n),
      () => `slice ${a.starts} to ${a.ends} of (${x!.shape})`,
    );
    return { shape: x!.shape.map((_, i) => a.ends[i]! - a.starts[i]!), dtype: x!.dtype };
  },
  pad: ([x], a) => {
    need(
      a.before.length === x!.shape.length && a.after.length === x!.shape.length,
      () => 'one width an axis',
    );
    return { shape: x!.shape.map((n, i) => n + a.before[i]! + a.after[i]!), dtype: x!.dtype };
  },
  concat: (inputs, { axis }) => {
    const [first] = inputs;
    need(first !== undefined, () => 'concat of nothing');
    for (const x of inputs) {
      const fits =
        x.shape.length === first!.shape.length &&
        x.shape.every((n, i) => i === axis || n === first!.shape[i]);
      need(
        fits && x.dtype === first!.dtype,
        () => `(${x.shape}) does not join (${first!.shape}) along ${axis}`,
      );
    }
    const total = inputs.reduce((n, x) => n + x.shape[axis]!, 0);
    return { shape: first!.shape.map((n, i) => (i === axis ? total : n)), dtype: first!.dtype };
  },
  gatherRows: selection.gatherRows,
  scatterRows: selection.scatterRows,
  pick: selection.pick,
  place: selection.place,
  matmul: ([a, b], t) => {
    float([a!, b!]);
    need(a!.shape.length >= 2 && b!.shape.length >= 2, () => `product of (${a!.shape}) and (${b!.shape})`);
    const [m, k] = lastTwo(a!.shape, t.transposeA);
    const [k2, n] = lastTwo(b!.shape, t.transposeB);
    need(
      k === k2,
      () => `product of (${a!.shape})${t.transposeA ? 'ᵀ' : ''} and (${b!.shape})${t.transposeB ? 'ᵀ' : ''}`,
    );
    return { shape: [...broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n], dtype: 'f32' };
  },
  dequantize: ([codes, absmax], { format, block, shape }) => {
    const count = sizeOf(shape);
    const bytes = codeBytes(format, count);
    const blocks = Math.ceil(count / block);
    need(
      codes!.dtype === 'u8' && same(codes!.shape, [bytes]) && same(absmax!.shape, [blocks]),
      () => `codes ${codes!.dtype}(${codes!.shape}), absmax (${absmax!.shape}) for ${format} of (${shape})`,
    );
    float([absmax!]);
    return { shape, dtype: 'f32' };
  },
  absmax: codes.absmax,
  quantizeRows: codes.quantizeRows,
  matmulCodes: codes.matmulCodes,
  layerNorm: ([x, w, b]) => {
    float([x!, w!, b!]);
    const d = x!.shape.slice(-1);
    need(
      same(w!.shape, d) && same(b!.shape, d),
      () => `layerNorm of (${x!.shape}) by (${w!.shape}), (${b!.shape})`,
    );
    return { shape: x!.shape, dtype: 'f32' };
  },
  rmsNorm: ([x, w]) => {
    float([x!, w!]);
    need(
      x!.shape.length > 0 && same(w!.shape, x!.shape.slice(-1)),
      () => `rmsNorm of (${x!.shape}) by (${w!.shape})`,
    );
    return { shape: x!.shape, dtype: 'f32' };
  },
  inverseDeviation: ([x]) => ({ shape: [...unary([x!]).shape.slice(0, -1), 1], dtype: 'f32' }),
  silu: unary,
  gelu: unary,
  rotateHalf: ([x]) => {
    need((x!.shape.at(-1) ?? 1) % 2 === 0, () => `rotateHalf of an odd axis (${x!.shape})`);
    return unary([x!]);
  },
  rotary: ([x, cos, sin]) => {
    float([x!, cos!, sin!]);
    const [batch, , tokens, size] = x!.shape;
    need(x!.shape.length === 4 && size! % 2 === 0, () => `rotary of (${x!.shape})`);
    const [rows, ...angles] = cos!.shape;
    const fits = (rows === 1 || rows === batch) && same(angles, [tokens!, size! / 2]);
    need(
      fits && same(cos!.shape, sin!.shape),
      () => `angles (${cos!.shape}), (${sin!.shape}) for (${x!.shape})`,
    );
    return { shape: x!.shape, dtype: 'f32' };
  },
  attachGradient: (inputs, { count }) => {
    need(
      inputs.length === 1 + 2 * count,
      () => `attachGradient has ${inputs.length} operands for ${count} gradients`,
    );
    need(sizeOf(inputs[0]!.shape) === 1, () => 'attachGradient holds a scalar');
    for (let i = 0; i < count; i++) {
      const x = inputs[1 + i]!;
      const g = inputs[1 + count + i]!;
      need(same(x.shape, g.shape), () => `gradient (${g.shape}) of a value (${x.shape})`);
    }
    return { shape: inputs[0]!.shape, dtype: inputs[0]!.dtype };
  },
  stopGradient: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  blockEdge: unary,
  after: ([x, y]) => {
    need(x!.shape.length > 0, () => 'after needs an axis');
    need(sizeOf(y!.shape) > 0 && y!.dtype === 'f32', () => `after ${y!.dtype} (${y!.shape})`);
    return { shape: x!.shape, dtype: x!.dtype };
  },
};

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const rows = shape[shape.length - 2]!;
  const columns = shape[shape.length - 1]!;
  return transposed ? [columns, rows] : [rows, columns];
}

/** Shape and type of `op` on these operands; throws ShapeError naming the operation. */
export function inferShape<K extends OpName>(
  op: K,
  inputs: readonly Node[],
  attributes: OpAttributes[K],
): Typed {
  try {
    return shapeRules[op](inputs, attributes);
  } catch (error) {
    if (error instanceof ShapeError) throw new ShapeError(`${op}: ${error.message}`);
    throw error;
  }
}
