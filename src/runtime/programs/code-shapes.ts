/** Shapes of products in eight bits. */
import type { Shape } from './ops.ts';
import { float, need, type Rule, same, type Typed } from './shape-rule.ts';

export const absmax: Rule<'absmax'> = ([x]) => {
  float([x!]);
  need(x!.shape.length > 0, () => 'rows need an axis');
  return { shape: [...x!.shape.slice(0, -1), 1], dtype: 'f32' };
};
/** One number for each of the equal parts of a row. */
const fitsParts = (absmax: Typed, rows: Shape): boolean =>
  absmax.dtype === 'f32' &&
  rows.length > 0 &&
  same(absmax.shape.slice(0, -1), rows.slice(0, -1)) &&
  rows.at(-1)! % absmax.shape.at(-1)! === 0;

export const quantizeRows: Rule<'quantizeRows'> = ([x, largest]) => {
  float([x!]);
  need(
    fitsParts(largest!, x!.shape),
    () => `absmax ${largest!.dtype}(${largest!.shape}) for rows of (${x!.shape})`,
  );
  return { shape: x!.shape, dtype: 'u8' };
};
export const matmulCodes: Rule<'matmulCodes'> = ([codes, largest, weight, scale]) => {
  const [k, n] = [codes!.shape.at(-1)!, scale!.shape[0]!];
  need(
    codes!.dtype === 'u8' && codes!.shape.length > 1 && fitsParts(largest!, codes!.shape),
    () => `rows ${codes!.dtype}(${codes!.shape}) with absmax ${largest!.dtype}(${largest!.shape})`,
  );
  need(
    weight!.dtype === 'i8' &&
      same(weight!.shape, [k, n]) &&
      scale!.dtype === 'f32' &&
      same(scale!.shape, [n]),
    () => `rows of ${k} by ${weight!.dtype}(${weight!.shape}) with scale ${scale!.dtype}(${scale!.shape})`,
  );
  return { shape: [...codes!.shape.slice(0, -1), n], dtype: 'f32' };
};
