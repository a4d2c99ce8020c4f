/** Options against their JSON Schema: ranges, choices, whole numbers. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { CallEntry, Json } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import { type ValueSchema, wrongType } from './evaluate.ts';
import type { Bound } from './module.ts';
import { spanOfBound } from './module.ts';

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
  } = schema;
  const bounds = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, powerOfTwo, minItems };
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
    const bound = values.get(name);
    if (bound === undefined || told.has(error.instancePath)) continue;
    told.add(error.instancePath);
    reportViolation(error, entry, name, index, bound, context);
  }
  return false;
}

function reportViolation(
  error: ErrorObject,
  entry: CallEntry,
  name: string,
  index: string | undefined,
  bound: Bound,
  context: Context,
): void {
  const schema = entry.options[name]!;
  const { value, scope } = bound;
  const item = index !== undefined && value.kind === 'list' ? value.items[Number(index)] : undefined;
  const at: Bound = item === undefined ? bound : { value: item, scope };
  const span = spanOfBound(at);
  const written = scope.module.source.text.slice(span.start, span.end);
  const aimed = index === undefined ? schema : (schema.items ?? {});
  if (error.keyword === 'enum') {
    const data = { name, value: unquoted(written), legal: (aimed.enum ?? []).map(String) };
    context.report(diagnose('not-a-choice', data, { span }));
  } else if (error.keyword === 'type') wrongType(at, name, aimed, context);
  else {
    const limit = Number((error.params as { limit?: number }).limit);
    const rule = error.keyword === 'minItems' ? `at least ${limit} long` : ruleWords(error.keyword, limit);
    const hint = error.keyword === 'powerOfTwo' ? { hint: `write ${nearestPower(Number(written))}` } : {};
    const data = { name, value: written, rule, description: schema.description, ...hint };
    context.report(diagnose('out-of-range', data, { span }));
  }
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
