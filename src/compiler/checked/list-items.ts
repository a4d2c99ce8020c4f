/** The items of a list, each where it is written. */
import type { Value } from '../syntax/tree.ts';
import type { Context } from './context.ts';
import { reduce } from './evaluate.ts';
import type { Bound } from './module.ts';

export interface Item {
  readonly bound: Bound;
  /** The one before it in the same brackets. */
  readonly before?: Value | undefined;
}

/** Of a list that could be evaluated. Those of a list that a `$name` brings along stand in its place. */
export function itemsOf(list: Bound, context: Context): readonly Item[] {
  const { value, scope } = list;
  if (value.kind !== 'list') return [{ bound: list }];
  return value.items.flatMap((item, i): readonly Item[] => {
    const bound = { value: item, scope };
    const each = item.kind === 'variable' ? reduce(bound, context) : undefined;
    return each?.value.kind === 'list' ? itemsOf(each, context) : [{ bound, before: value.items[i - 1] }];
  });
}
