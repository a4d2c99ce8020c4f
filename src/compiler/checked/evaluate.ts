/** Written values → JSON, as the option that takes them asks. `undefined` means: a problem has been reported. */
import type { Json, OptionSchema } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { TextPart, Value } from '../syntax/tree.ts';
import type { Context } from './context.ts';
import { type Bound, type Scope, spanIn, spanOfBound } from './module.ts';
import { allUnits, measuredAs, readQuantity } from './units.ts';
import { wrongType } from './wrong-type.ts';

export type ValueSchema = Omit<OptionSchema, 'description'>;

const longestText = 10_000_000;

/** Follows `$name` to the value it stands for. */
export function reduce(bound: Bound, context: Context): Bound | undefined {
  const seen = new Set<Value>();
  const names: string[] = [];
  let current = bound;
  while (current.value.kind === 'variable') {
    const { name } = current.value;
    names.push(name.text);
    if (context.circular.has(current.value)) return undefined;
    if (seen.has(current.value)) {
      for (const value of seen) context.circular.add(value);
      const span = spanOfBound(current);
      context.report(
        diagnose('circular', { what: 'value', cycle: names.slice(names.indexOf(name.text)) }, { span }),
      );
      return undefined;
    }
    seen.add(current.value);
    const next = lookUp(name.text, current.scope, context);
    if (next === undefined) {
      const legal = [...(current.scope.parameters?.keys() ?? []), ...current.scope.module.values.keys()];
      const hint = `declare it: \`let ${name.text} = …\``;
      const data = { name: name.text, kind: 'value', legal, hint, prefix: '$' };
      context.report(diagnose('unknown-name', data, { span: spanOfBound(current) }));
      return undefined;
    }
    current = next;
  }
  return current;
}

function lookUp(name: string, scope: Scope, context: Context): Bound | undefined {
  const parameter = scope.parameters?.get(name);
  if (parameter !== undefined) return parameter;
  const item = scope.module.values.get(name);
  if (item === undefined) return undefined;
  const replaced = item.kind === 'param' ? context.params.get(item) : undefined;
  return replaced?.bound ?? { value: item.value, scope: { module: scope.module } };
}

/** The value of the option `name`, checked only as far as its kind of value goes; ranges and choices are the schema's. */
export function evaluate(
  bound: Bound,
  name: string,
  schema: ValueSchema,
  context: Context,
): Json | undefined {
  const reduced = reduce(bound, context);
  if (reduced === undefined || !context.spend(spanOfBound(reduced))) return undefined;
  const { value } = reduced;
  const natural = schema.type === undefined && schema.enum === undefined;
  if (schema.type === 'array') return evaluateList(reduced, name, schema, context);
  if (value.kind === 'quantity') {
    if (schema.enum?.includes(value.text)) return value.text;
    if (schema.type === 'number' || schema.type === 'integer' || natural || takesNumbers(schema)) {
      return evaluateQuantity(reduced, value.text, name, schema, context);
    }
  }
  if (value.kind === 'list' && natural) return evaluateList(reduced, name, { ...schema, items: {} }, context);
  const text = textOf(reduced, context);
  // What is wrong inside of a text has been reported there.
  if (text === undefined && value.kind === 'text') return undefined;
  if (text !== undefined) {
    if (schema.type === 'boolean' || (natural && value.kind === 'call')) {
      if (text === 'true' || text === 'false') return text === 'true';
      if (!natural && (text === 'yes' || text === 'no')) return text === 'yes';
      if (natural) return text;
    } else if (schema.type === 'string' || natural || !takesNumbers(schema)) return text;
  }
  wrongType(reduced, name, schema, context);
  return undefined;
}

const takesNumbers = (schema: ValueSchema): boolean =>
  schema.type === 'number' ||
  schema.type === 'integer' ||
  schema.enum?.some((choice) => typeof choice === 'number') === true;

function evaluateList(bound: Bound, name: string, schema: ValueSchema, context: Context): Json | undefined {
  const { value, scope } = bound;
  const items = schema.items ?? {};
  if (value.kind === 'quantity') {
    const reading = readQuantity(value.text, items.unit);
    if (reading?.kind === 'range') return [reading.low, reading.high];
  }
  if (value.kind !== 'list') {
    const only = evaluate(bound, name, items, context);
    return only === undefined ? undefined : [only];
  }
  return once(bound, context, () => {
    const out: Json[] = [];
    for (const item of value.items) {
      const each = reduce({ value: item, scope }, context);
      if (each === undefined) return undefined;
      // `$list` inside of a list brings its items along.
      const isSpread = item.kind === 'variable' && each.value.kind === 'list';
      const made = isSpread
        ? evaluateList(each, name, schema, context)
        : evaluate(each, name, items, context);
      if (made === undefined) return undefined;
      if (isSpread && Array.isArray(made)) for (const inner of made) out.push(inner);
      else out.push(made);
    }
    return out;
  });
}

/** Runs `work` unless it is already running for the same value, which then is defined by itself. */
function once<T>(bound: Bound, context: Context, work: () => T | undefined): T | undefined {
  if (context.active.has(bound.value)) {
    const text = spanOfBound(bound);
    const written = bound.scope.module.source.text.slice(text.start, text.end);
    context.report(diagnose('circular', { what: 'value', cycle: [written, written] }, { span: text }));
    return undefined;
  }
  context.active.add(bound.value);
  const made = context.nested(spanOfBound(bound), work);
  context.active.delete(bound.value);
  return made;
}

function evaluateQuantity(
  bound: Bound,
  text: string,
  name: string,
  schema: ValueSchema,
  context: Context,
): number | undefined {
  const reading = readQuantity(text, schema.unit);
  const place = { span: spanOfBound(bound) };
  switch (reading?.kind) {
    case 'number':
      if (Number.isFinite(reading.value)) return reading.value;
      context.report(diagnose('out-of-range', { name, value: text, rule: 'a finite number' }, place));
      return undefined;
    case 'unknown unit':
      context.report(diagnose('unknown-unit', { ...reading, all: allUnits }, place));
      return undefined;
    case 'wrong unit': {
      const measures = measuredAs[schema.unit ?? 'none'];
      context.report(
        diagnose('wrong-unit', { name, unit: reading.unit, measures, legal: reading.legal }, place),
      );
      return undefined;
    }
    default:
      wrongType(bound, name, schema, context);
      return undefined;
  }
}

/** Text, or a word as text; `undefined` where the value is neither. */
export function textOf(bound: Bound, context: Context): string | undefined {
  const { value, scope } = bound;
  switch (value.kind) {
    case 'raw':
    case 'block':
      return value.text;
    case 'text':
      return once(bound, context, () => joinParts(value.parts, scope, context));
    case 'call':
      return value.call.parens ? undefined : value.call.path.text;
    default:
      return undefined;
  }
}

function joinParts(parts: readonly TextPart[], scope: Scope, context: Context): string | undefined {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      const range = part.reference.range;
      const reduced = reduce({ value: { kind: 'variable', name: part.reference, range }, scope }, context);
      if (reduced === undefined || !context.spend(spanIn(scope.module, range))) return undefined;
      const inserted = reduced.value.kind === 'quantity' ? reduced.value.text : textOf(reduced, context);
      if (inserted === undefined) {
        if (reduced.value.kind !== 'text')
          wrongType(reduced, part.reference.text, { type: 'string' }, context);
        return undefined;
      }
      text += inserted;
    }
    if (text.length > longestText) {
      context.report(
        diagnose(
          'too-large',
          { what: 'this text', most: longestText },
          { span: spanIn(scope.module, { start: 0, end: 0 }) },
        ),
      );
      return undefined;
    }
  }
  return text;
}
