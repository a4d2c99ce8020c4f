/** What a shape rule is, and what the rules share. */
import type { DType, OpAttributes, OpName, Shape } from './ops.ts';

export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export interface Typed {
  readonly shape: Shape;
  readonly dtype: DType;
}
export type Rule<K extends OpName> = (inputs: readonly Typed[], attributes: OpAttributes[K]) => Typed;

/** Numpy's rule: align at the right, a 1 stretches. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(`(${a}) and (${b}) do not broadcast`);
    out.push(Math.max(x === 0 || y === 0 ? 0 : x, y === 0 ? 0 : y));
  }
  return out;
}

export const same = (a: Shape, b: Shape) => a.length === b.length && a.every((n, i) => n === b[i]);

export function need(condition: boolean, text: () => string): void {
  if (!condition) throw new ShapeError(text());
}

/** All operands are f32. */
export const float = (inputs: readonly Typed[]): void =>
  inputs.forEach((x, i) => {
    need(x.dtype === 'f32', () => `operand ${i} must be f32, is ${x.dtype}`);
  });
