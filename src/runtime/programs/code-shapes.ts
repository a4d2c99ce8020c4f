/** Shapes of products in eight bits. */
import { float, need, type Rule, same } from './shape-rule.ts';

export const absmax: Rule<'absmax'> = ([x]) => {
  float([x!]);
  need(x!.shape.length > 0, () => 'rows need an axis');
  return { shape: [...x!.shape.slice(0, -1), 1], dtype: 'f32' };
};
export const quantizeRows: Rule<'quantizeRows'> = ([x, largest]) => {
  float([x!, largest!]);
  need(
    x!.shape.length > 0 && same(largest!.shape, [...x!.shape.slice(0, -1), 1]),
    () => `absmax (${largest!.shape}) for rows of (${x!.shape})`,
  );
  return { shape: x!.shape, dtype: 'u8' };
};
export const matmulCodes: Rule<'matmulCodes'> = ([codes, largest, weight, scale]) => {
  const lead = codes!.shape.slice(0, -1);
  const [k, n] = [codes!.shape.at(-1)!, scale!.shape[0]!];
  need(
    codes!.dtype === 'u8' &&
      lead.length > 0 &&
      largest!.dtype === 'f32' &&
      same(largest!.shape, [...lead, 1]),
    () => `rows ${codes!.dtype}(${codes!.shape}) with absmax ${largest!.dtype}(${largest!.shape})`,
  );
  need(
    weight!.dtype === 'i8' &&
      same(weight!.shape, [k, n]) &&
      scale!.dtype === 'f32' &&
      same(scale!.shape, [n]),
    () => `rows of ${k} by ${weight!.dtype}(${weight!.shape}) with scale ${scale!.dtype}(${scale!.shape})`,
  );
  return { shape: [...lead, n], dtype: 'f32' };
};
