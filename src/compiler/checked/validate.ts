/** Options against their JSON Schema: ranges, choices, whole numbers. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { CallEntry, Json } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import type { ValueSchema } from './evaluate.ts';
import { itemsOf } from './list-items.ts';
import type { Bound } from './module.ts';
import { spanOfBound } from './module.ts';
import { own } from './own.ts';
import { wrongType } from './wrong-type.ts';

let ajv: Ajv | undefined;
const validators = new WeakMap<CallEntry, ValidateFunction>();

/** The part of an option's schema that says something about a value; the rest is for people and for the compiler. */
function jsonSchema(schema: ValueSchema): { [keyword: string]: unknown } {
  const {
    type,
    enum: choices,
    items,
    minimum,
    maximum,
    exclusiveMinimum,
    exclusiveMaximum,
    powerOfTwo,
    minItems,
    uniqueItems,
  } = schema;
  const bounds = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, powerOfTwo, minItems, uniqueItems };
  const keywords = { type, enum: choices, ...bounds };
  const given = Object.entries(keywords).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(items === undefined ? {} : { items: jsonSchema(items) }) };
}

/** The JSON Schema of a call's options. */
export function optionsSchema(entry: CallEntry): { [keyword: string]: unknown } {
  const plain = Object.entries(entry.options).filter(([, { refers }]) => refers === undefined);
  return {
    type: 'object',
    properties: Object.fromEntries(plain.map(([name, schema]) => [name, jsonSchema(schema)])),
    additionalProperties: false,
  };
}

function validatorOf(entry: CallEntry): ValidateFunction {
  const known = validators.get(entry);
  if (known !== undefined) return known;
  // The schemas are made here from typed entries, and a test checks them: checking them at each start costs 20 ms.
  ajv ??= new Ajv({
    allErrors: true,
    strict: false,
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  }).addKeyword({
    keyword: 'powerOfTwo',
    type: 'number',
    validate: (_: true, value: number) => nearestPower(value) === value,
  });
  const made = ajv.compile(optionsSchema(entry));
  validators.set(entry, made);
  return made;
}

/** The power of two that is nearest by ratio. */
const nearestPower = (value: number): number => 2 ** Math.max(0, Math.round(Math.log2(value)));

/** Reports every violation at the value that violates; true where there is none. */
export function validate(
  entry: CallEntry,
  options: { readonly [name: string]: Json },
  values: ReadonlyMap<string, Bound>,
  context: Context,
): boolean {
  // Defaults are the catalog's own.
  if (values.size === 0) return true;
  const validator = validatorOf(entry);
  if (validator(options)) return true;
  const told = new Set<string>();
  for (const error of validator.errors ?? []) {
    const [, name = '', index] = error.instancePath.split('/');
    if (!values.has(name) || told.has(error.instancePath)) continue;
    told.add(error.instancePath);
    reportViolation(error, { entry, options, values }, name, index, context);
  }
  return false;
}

/** Options of one call, as they were evaluated and as they were written. */
interface Written {
  readonly entry: CallEntry;
  readonly options: { readonly [name: string]: Json };
  readonly values: ReadonlyMap<string, Bound>;
}

function reportViolation(
  error: ErrorObject,
  written: Written,
  name: string,
  index: string | undefined,
  context: Context,
): void {
  const schema = written.entry.options[name]!;
  const bound = written.values.get(name)!;
  const made = written.options[name];
  if (error.keyword === 'uniqueItems') {
    reportRepeated(written, name, context);
    return;
  }
  const at = index === undefined ? bound : (itemsOf(bound, context)[Number(index)]?.bound ?? bound);
  const aimed = index === undefined ? schema : (schema.items ?? {});
  const span = spanOfBound(at);
  const text = textAt(at);
  if (error.keyword === 'enum') {
    const value = unquoted(text);
    const meant = own(aimed.otherNames ?? {}, value);
    const data = { name, value, legal: (aimed.enum ?? []).map(String), meant };
    context.report(diagnose('not-a-choice', data, { span }));
  } else if (error.keyword === 'type') wrongType(at, name, aimed, context);
  else {
    const limit = Number((error.params as { limit?: number }).limit);
    const rule = error.keyword === 'minItems' ? `at least ${limit} long` : ruleWords(error.keyword, limit);
    const value = index !== undefined && Array.isArray(made) ? made[Number(index)] : made;
    const hint = error.keyword === 'powerOfTwo' ? { hint: `write ${nearestPower(Number(value))}` } : {};
    const data = { name, value: text, rule, description: schema.description, ...hint };
    context.report(diagnose('out-of-range', data, { span }));
  }
}

const textAt = (bound: Bound): string => {
  const { start, end } = bound.value.range;
  return bound.scope.module.source.text.slice(start, end);
};

/** Every item that stands in the list already. What another list goes with, item by item, is not taken out by a fix. */
function reportRepeated({ options, values }: Written, name: string, context: Context): void {
  const made = options[name] as readonly Json[];
  const items = itemsOf(values.get(name)!, context);
  const isAlone = [...values.keys()].every((other) => other === name || !Array.isArray(options[other]));
  made.forEach((item, i) => {
    const first = made.indexOf(item);
    const [again, there] = [items[i], items[first]];
    if (first === i || again === undefined || there === undefined) return;
    const span = spanOfBound(again.bound);
    const comma = again.before && { ...span, start: again.before.range.end };
    const related = [{ span: spanOfBound(there.bound), label: 'given here first' }];
    const fix = isAlone && comma ? { edits: [{ span: comma, text: '' }] } : undefined;
    context.report(diagnose('duplicate-param', { name: String(item), list: name }, { span, related, fix }));
  });
}

const unquoted = (written: string): string => written.replace(/^(["'])(.*)\1$/s, '$2');

function ruleWords(keyword: string, limit: number): string {
  switch (keyword) {
    case 'minimum':
      return `at least ${limit}`;
    case 'maximum':
      return `at most ${limit}`;
    case 'powerOfTwo':
      return 'a power of two';
    case 'exclusiveMinimum':
      return limit === 0 ? 'above zero' : `above ${limit}`;
    default:
      return `below ${limit}`;
  }
}
