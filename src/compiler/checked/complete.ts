/** Given values + defaults → options, each default written down. */
import type { CallEntry, Json } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Span } from '../source/span.ts';
import type { Givens } from './binding.ts';
import type { Context } from './context.ts';
import { evaluate, reduce } from './evaluate.ts';
import { type Bound, type Module, spanIn } from './module.ts';
import { own } from './own.ts';
import type { FilledDefault } from './stage-job.ts';
import { validate } from './validate.ts';

export interface Completed {
  /** In the order of the schema, without those that name data, models, templates. */
  readonly options: { readonly [name: string]: Json };
  readonly defaults: readonly FilledDefault[];
  readonly sound: boolean;
}

export interface Owner {
  readonly entry: CallEntry;
  readonly given: Givens;
  /** Something could not be read, so nothing is known to be missing. */
  readonly broken: boolean;
  /** Path of its options in `plan`: `sft`, `pretrain.model`. */
  readonly path: string;
  /** `stage default`, `method default`. */
  readonly defaultFrom: string;
  /** The name in the text, where a missing option is reported. */
  readonly span: Span;
  /** Files whose `param`s may be the defaults, nearest first. */
  readonly modules: readonly Module[];
  /** The stage's method, for defaults that depend on it. */
  readonly method?: string | undefined;
}

export function complete(owner: Owner, context: Context): Completed {
  const { entry, given, path } = owner;
  const options: { [name: string]: Json } = {};
  const defaults: FilledDefault[] = [];
  const values = new Map<string, Bound>();
  let sound = !owner.broken;
  for (const [name, schema] of Object.entries(entry.options)) {
    if (schema.refers !== undefined) continue;
    const value = given.get(name);
    if (value !== undefined) {
      const made = evaluate(value.bound, name, schema, context);
      if (made === undefined) sound = false;
      else {
        // What decides it may be what is wrong.
        const idle = sound ? schema.withoutEffect?.(options, owner.method, made) : undefined;
        if (idle !== undefined) {
          context.report(diagnose('without-effect', { name, ...idle }, { span: value.span }));
          sound = false;
        }
        options[name] = made;
        values.set(name, reduce(value.bound, context) ?? value.bound);
      }
      continue;
    }
    const param =
      schema.defaultFromParam === undefined ? undefined : paramNamed(schema.defaultFromParam, owner, context);
    if (param !== undefined) {
      const made = evaluate(param.bound, name, schema, context);
      if (made === undefined) sound = false;
      else {
        options[name] = made;
        values.set(name, reduce(param.bound, context) ?? param.bound);
        defaults.push({ path: `${path}.${name}`, value: made, from: param.from });
      }
    } else if (schema.default !== undefined) {
      options[name] = schema.default;
      defaults.push({ path: `${path}.${name}`, value: schema.default, from: owner.defaultFrom });
    } else if (schema.computedDefault !== undefined) {
      // What it follows from may be what is wrong.
      const made = sound ? schema.computedDefault(options, owner.method) : undefined;
      if (made === undefined) continue;
      options[name] = made;
      const why = schema.defaultNote === undefined ? '' : `: ${schema.defaultNote}`;
      defaults.push({ path: `${path}.${name}`, value: made, from: `${owner.defaultFrom}${why}` });
    } else if (schema.defaultNote !== undefined) {
      // Worked out at run time; until then the words stand for the value.
      defaults.push({ path: `${path}.${name}`, value: schema.defaultNote, from: owner.defaultFrom });
    }
  }
  if (!validate(entry, options, values, context)) sound = false;
  if (!owner.broken && !requireAll(owner, context)) sound = false;
  return { options, defaults, sound };
}

function paramNamed(
  name: string,
  { modules }: Owner,
  context: Context,
): { bound: Bound; from: string } | undefined {
  for (const module of modules) {
    const item = module.values.get(name);
    if (item?.kind !== 'param') continue;
    const set = context.params.get(item);
    if (set !== undefined) return set;
    const { file, line } = spanIn(module, item.range);
    return { bound: { value: item.value, scope: { module } }, from: `param ${name} (${file}:${line})` };
  }
  return undefined;
}

function requireAll({ entry, given, span }: Owner, context: Context): boolean {
  let all = true;
  for (const name of entry.required ?? []) {
    const schema = own(entry.options, name);
    if (given.has(name) || schema === undefined || schema.default !== undefined) continue;
    all = false;
    const data = { owner: entry.name, name, description: schema.description };
    context.report(diagnose('missing-param', data, { span }));
  }
  return all;
}
