/** Kernels that work element by element. */
import type { Kernel, Value } from './value.ts';
import { broadcastStrides, walk } from './value.ts';

/** The operand's elements in the order of `out`; itself where nothing is stretched. */
function aligned(x: Value, out: Value): Value['data'] {
  if (x.data.length === out.data.length) return x.data;
  const data = new (x.data.constructor as new (n: number) => Value['data'])(out.data.length);
  walk(out.shape, broadcastStrides(x.shape, out.shape), 0, (i, at) => {
    data[i] = x.data[at]!;
  });
  return data;
}

const binary =
  (f: (a: number, b: number) => number) =>
  (out: Value, [x, y]: readonly Value[]): void => {
    const a = aligned(x!, out);
    const b = aligned(y!, out);
    for (let i = 0; i < out.data.length; i++) out.data[i] = f(a[i]!, b[i]!);
  };
const unary =
  (f: (x: number) => number) =>
  (out: Value, [x]: readonly Value[]): void => {
    for (let i = 0; i < out.data.length; i++) out.data[i] = f(x!.data[i]!);
  };

/** The error function to about 1e-16: its series below 2.5, the continued fraction of erfc above. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z;
    let total = z;
    for (let n = 1; Math.abs(term) > 1e-17 * total; n++) {
      term *= (-z * z) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  if (z > 6) return Math.sign(x);
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)));
}

const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

export const add = binary((a, b) => a + b);
export const sub = binary((a, b) => a - b);
export const mul = binary((a, b) => a * b);
export const maximum = binary(Math.max);
export const minimum = binary(Math.min);
export const greater = binary((a, b) => Number(a > b));
export const greaterEqual = binary((a, b) => Number(a >= b));
export const equal = binary((a, b) => Number(a === b));
const divideFloats = binary((a, b) => a / b);
const divideIntegers = binary((a, b) => Math.trunc(a / b));
/** i32 rounds towards zero. */
export const div: Kernel<'div'> = (out, inputs) =>
  (out.dtype === 'i32' ? divideIntegers : divideFloats)(out, inputs);

export const where: Kernel<'where'> = (out, [condition, x, y]) => {
  const c = aligned(condition!, out);
  const a = aligned(x!, out);
  const b = aligned(y!, out);
  for (let i = 0; i < out.data.length; i++) out.data[i] = c[i] !== 0 ? a[i]! : b[i]!;
};

export const neg = unary((x) => -x);
export const exp = unary(Math.exp);
export const log = unary(Math.log);
export const sqrt = unary(Math.sqrt);
export const reciprocal = unary((x) => 1 / x);
export const tanh = unary(Math.tanh);
export const erfOf = unary(erf);
export const sigmoid = unary(sigmoidOf);
export const softplus = unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
export const silu = unary((x) => x * sigmoidOf(x));
export const cast: Kernel<'cast'> = (out, [x], { to }) => {
  const convert =
    to === 'bool' ? (v: number) => Number(v !== 0) : to === 'i32' ? Math.trunc : (v: number) => v;
  for (let i = 0; i < out.data.length; i++) out.data[i] = convert(x!.data[i]!);
};

const geluErf = unary((x) => 0.5 * x * (1 + erf(x / Math.SQRT2)));
const geluTanh = unary((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))));
export const gelu: Kernel<'gelu'> = (out, inputs, { approximation }) =>
  (approximation === 'erf' ? geluErf : geluTanh)(out, inputs);
export const copy = unary((x) => x);
