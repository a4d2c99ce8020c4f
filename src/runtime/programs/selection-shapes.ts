/** Shapes of what selects elements by index, and of its adjoints. */
import { need, type Rule, same } from './shape-rule.ts';

export const gatherRows: Rule<'gatherRows'> = ([table, index]) => {
  need(
    index!.dtype === 'i32' && table!.shape.length >= 1,
    () => `rows of (${table!.shape}) by ${index!.dtype}`,
  );
  return { shape: [...index!.shape, ...table!.shape.slice(1)], dtype: table!.dtype };
};
export const scatterRows: Rule<'scatterRows'> = ([index, rows], { count }) => {
  const lead = rows!.shape.slice(0, index!.shape.length);
  need(
    index!.dtype === 'i32' && same(lead, index!.shape),
    () => `rows (${rows!.shape}) for index (${index!.shape})`,
  );
  return { shape: [count, ...rows!.shape.slice(index!.shape.length)], dtype: rows!.dtype };
};
export const pick: Rule<'pick'> = ([x, index]) => {
  need(
    index!.dtype === 'i32' && same(x!.shape.slice(0, -1), index!.shape),
    () => `pick (${index!.shape}) of (${x!.shape})`,
  );
  return { shape: index!.shape, dtype: x!.dtype };
};
export const place: Rule<'place'> = ([index, values], { size }) => {
  need(
    index!.dtype === 'i32' && same(index!.shape, values!.shape),
    () => `place (${values!.shape}) at (${index!.shape})`,
  );
  return { shape: [...index!.shape, size], dtype: values!.dtype };
};
