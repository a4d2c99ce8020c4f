/** A value of another kind than its option takes. */
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import type { ValueSchema } from './evaluate.ts';
import { type Bound, spanOfBound } from './module.ts';
import { own } from './own.ts';
import { describeValue, type ExpectedWords, expectedWords } from './type-words.ts';

export function wrongType(bound: Bound, name: string, schema: ValueSchema, context: Context): void {
  const words = expectedWords(bound.value, schema);
  const hint = choiceWithOptions(bound, name, schema, context) ?? words.hint;
  const data = { ...words, hint, name, found: describeValue(bound.value) };
  context.report(diagnose('wrong-type', data, { span: spanOfBound(bound) }));
}

/** `optimizer=adamw(beta1=0.5)`: what stands in parentheses behind a choice belongs beside it. */
function choiceWithOptions(
  { value, scope }: Bound,
  name: string,
  { enum: choices }: ValueSchema,
  { catalog }: Context,
): ExpectedWords['hint'] {
  if (value.kind !== 'call' || !value.call.parens) return undefined;
  const { path, args } = value.call;
  if (!choices?.includes(path.text)) return undefined;
  const keys = args.map((arg) => (arg.kind === 'keyed' ? arg.key.text : ''));
  const entries = [...Object.values(catalog.stages), ...Object.values(catalog.methods)];
  const areBeside = entries.some(({ options }) => [name, ...keys].every((key) => own(options, key)));
  const given = args.map(({ range }) => scope.module.source.text.slice(range.start, range.end));
  const written = [`${name}=${path.text}`, ...(areBeside ? given : [])].join(' ');
  return `write \`${written}\``;
}
