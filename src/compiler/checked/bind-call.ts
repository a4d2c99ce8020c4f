/** Arguments of a call that hosts no methods: sources, operators, models, methods themselves. */
import type { CallEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Call, Value } from '../syntax/tree.ts';
import { type Given, type Givens, positionalOption, takesPositional } from './binding.ts';
import type { Context } from './context.ts';
import { type Bound, type Scope, spanIn } from './module.ts';
import { own } from './own.ts';

export interface CallBinding {
  readonly options: Givens;
  readonly broken: boolean;
}

export function bindCall(entry: CallEntry, call: Call, scope: Scope, context: Context): CallBinding {
  const options = new Map<string, Given>();
  const { module } = scope;
  let positional = 0;
  let broken = call.broken;
  for (const arg of call.args) {
    if (arg.kind === 'condition') {
      refuseCondition(entry.name, arg.condition.range, scope, context);
      broken = true;
    } else if (arg.kind === 'positional') {
      if (!takePositional(entry, arg.value, positional++, options, scope, context)) broken = true;
    } else if (own(entry.options, arg.key.text) === undefined) {
      const data = { owner: entry.name, name: arg.key.text, legal: Object.keys(entry.options) };
      context.report(diagnose('unknown-param', data, { span: spanIn(module, arg.key.range) }));
      broken = true;
    } else {
      const given = { bound: { value: arg.value, scope }, span: spanIn(module, arg.range) };
      give(options, arg.key.text, given, context);
    }
  }
  return { options, broken };
}

/** Adds a value; a second one for the same option is a mistake. */
export function give(options: Map<string, Given>, name: string, given: Given, context: Context): void {
  const first = options.get(name);
  if (first === undefined) options.set(name, given);
  else {
    const related = [{ span: first.span, label: 'given here first' }];
    context.report(diagnose('duplicate-param', { name }, { span: given.span, related }));
  }
}

/** `text("notes.txt")`; a last option that takes a list collects: `mix(a b c)`. False where nobody takes the value. */
export function takePositional(
  entry: CallEntry,
  value: Value,
  index: number,
  options: Map<string, Given>,
  scope: Scope,
  context: Context,
  words: readonly string[] = [],
): boolean {
  const span = spanIn(scope.module, value.range);
  const name = positionalOption(entry, index);
  if (name === undefined) {
    const written = scope.module.source.text.slice(value.range.start, value.range.end);
    const data = { owner: entry.name, written, legal: words, takes: takesPositional(entry) };
    context.report(diagnose('unknown-argument', data, { span }));
    return false;
  }
  const before = options.get(name);
  if (entry.options[name]!.type !== 'array') give(options, name, { bound: { value, scope }, span }, context);
  else if (before?.bound.value.kind === 'list' && index > (entry.options[name]!.position ?? 0)) {
    options.set(name, { bound: appended(before.bound, value), span: before.span });
  } else {
    const list: Value = { kind: 'list', items: [value], bracketed: true, range: value.range };
    give(options, name, { bound: { value: list, scope }, span }, context);
  }
  return true;
}

function appended({ value, scope }: Bound, item: Value): Bound {
  if (value.kind !== 'list') return { value, scope };
  const range = { start: value.range.start, end: item.range.end };
  return { value: { ...value, items: [...value.items, item], range }, scope };
}

export function refuseCondition(
  owner: string,
  range: { readonly start: number; readonly end: number },
  { module }: Scope,
  context: Context,
): void {
  const span = spanIn(module, range);
  const hosts = Object.values(context.catalog.stages).flatMap(({ name, conditions }) =>
    conditions ? [name] : [],
  );
  const condition = module.source.text.slice(range.start, range.end);
  context.report(diagnose('misplaced-condition', { owner, condition, hosts }, { span }));
}
