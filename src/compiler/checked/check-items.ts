/** Items by themselves, whether a pipeline uses them or not. */
import type { OptionSchema } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { ItemOf, Value } from '../syntax/tree.ts';
import type { StageChecker } from './check-stage.ts';
import type { Context } from './context.ts';
import { evaluate, reduce, textOf } from './evaluate.ts';
import type { Expander } from './expand.ts';
import type { ModelResolver } from './models.ts';
import { type Bound, type Module, spanIn, spanOfBound } from './module.ts';
import { own } from './own.ts';
import type { RowsResolver } from './rows.ts';
import { templateItem } from './templates.ts';

/** What may stand behind `param name:`. */
const paramTypes: { readonly [type: string]: OptionSchema['type'] } = {
  int: 'integer',
  float: 'number',
  string: 'string',
  bool: 'boolean',
  list: 'array',
};

export interface Checkers {
  readonly context: Context;
  readonly rows: RowsResolver;
  readonly models: ModelResolver;
  readonly stages: StageChecker;
  readonly expander: Expander;
}

export function checkItems(module: Module, { context, rows, models, stages, expander }: Checkers): void {
  for (const item of module.tree.items) {
    const { name } = item;
    if (name === undefined) continue;
    const isStep = item.kind === 'stage' || item.kind === 'pipeline';
    if (isStep && own(context.catalog.stages, name.text) !== undefined) {
      const span = spanIn(module, name.range);
      context.report(diagnose('shadows-builtin', { kind: item.kind, name: name.text }, { span }));
    }
    switch (item.kind) {
      case 'let':
        checkNames({ value: item.value, scope: { module } }, context);
        break;
      case 'param':
        checkParam(item, module, context);
        break;
      case 'data':
        rows.item(item, module);
        break;
      case 'model':
        models.value(
          { value: { kind: 'call', call: item.call, range: item.call.range }, scope: { module } },
          name.text,
        );
        break;
      case 'template':
        templateItem(item, module, context);
        break;
      case 'stage': {
        const binding = expander.stageItem(item, module);
        const span = spanIn(module, item.range);
        if (binding !== undefined)
          stages.stage({ id: name.text, idSpan: spanIn(module, name.range), span, binding, module });
        break;
      }
      default:
        break;
    }
  }
}

function checkParam(item: ItemOf<'param'>, module: Module, context: Context): void {
  const bound = { value: item.value, scope: { module } };
  const set = context.params.get(item);
  if (item.type === undefined) {
    checkNames(bound, context);
    return;
  }
  const type = own(paramTypes, item.type.text);
  if (type === undefined) {
    const data = { name: 'type', value: item.type.text, legal: Object.keys(paramTypes) };
    context.report(diagnose('not-a-choice', data, { span: spanIn(module, item.type.range) }));
    return;
  }
  for (const each of set === undefined ? [bound] : [bound, set.bound]) {
    const value = evaluate(
      each,
      item.name.text,
      { type: type === 'integer' ? 'number' : type, ...anyUnit(each.value) },
      context,
    );
    if (type !== 'integer' || typeof value !== 'number' || Number.isInteger(value)) continue;
    const found = `the number ${value}`;
    const data = { name: item.name.text, expected: 'a whole number', found };
    context.report(diagnose('wrong-type', data, { span: spanOfBound(each) }));
  }
}

/** A param has the unit of whoever reads it, so here a number with any unit will do. */
function anyUnit(value: Value): { unit?: NonNullable<OptionSchema['unit']> } {
  if (value.kind !== 'quantity') return {};
  if (/%/.test(value.text)) return { unit: 'ratio' };
  if (/(kB|KB|MB|GB|TB|iB)$/.test(value.text)) return { unit: 'bytes' };
  if (/(\d(ms|s|m|min|h|d)|seconds?|minutes?|hours?|days?)$/.test(value.text)) return { unit: 'seconds' };
  if (/epochs?$/.test(value.text)) return { unit: 'epochs' };
  if (/steps?$/.test(value.text)) return { unit: 'steps' };
  return /rows?$/.test(value.text) ? { unit: 'count' } : { unit: 'tokens' };
}

/** Every `$name` in it is declared. */
function checkNames(bound: Bound, context: Context): void {
  const { value, scope } = bound;
  if (value.kind === 'variable') reduce(bound, context);
  else if (value.kind === 'text') textOf(bound, context);
  else if (value.kind === 'list') for (const item of value.items) checkNames({ value: item, scope }, context);
}
