/** What `template=…` names: a `template` item, or the jinja itself. `undefined` means: a problem has been reported. */
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { ItemOf } from '../syntax/tree.ts';
import type { Context } from './context.ts';
import { reduce, textOf } from './evaluate.ts';
import { type Bound, locate, type Module, namesIn, spanOfBound } from './module.ts';
import { wrongType } from './wrong-type.ts';

export interface CheckedTemplate {
  /** Name of the item; absent for one written in place. */
  readonly name?: string;
  readonly text: string;
}

export function resolveTemplate(bound: Bound, context: Context): CheckedTemplate | undefined {
  const reduced = reduce(bound, context);
  if (reduced === undefined) return undefined;
  const { value, scope } = reduced;
  const text = textOf(reduced, context);
  const names = value.kind === 'call' ? value.call.path.names : [{ text: text ?? '', range: value.range }];
  const place = locate(scope.module, names);
  const item = place?.module?.templates.get(place.name);
  if (item !== undefined) return templateItem(item, place!.module!, context);
  if (value.kind !== 'call' && text !== undefined && (value.kind === 'block' || /\{[{%]/.test(text)))
    return { text };
  if (place !== undefined && place.module === undefined) return undefined;
  const legal = namesIn(scope.module, 'templates');
  const written = text ?? scope.module.source.text.slice(value.range.start, value.range.end);
  const hint = `declare it: \`template ${names.at(-1)!.text || 'chat'} = """…"""\``;
  context.report(
    diagnose(
      'unknown-name',
      { name: written, kind: 'template', legal, hint },
      { span: spanOfBound(reduced) },
    ),
  );
  return undefined;
}

export function templateItem(
  item: ItemOf<'template'>,
  module: Module,
  context: Context,
): CheckedTemplate | undefined {
  const reduced = reduce({ value: item.value, scope: { module } }, context);
  if (reduced === undefined) return undefined;
  const text = reduced.value.kind === 'call' ? undefined : textOf(reduced, context);
  if (text === undefined) wrongType(reduced, item.name.text, { type: 'string' }, context);
  return text === undefined ? undefined : { name: item.name.text, text };
}
