/** Arguments of a stage: its own options, the method it opens, conditions. */
import type { MethodEntry, StageEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { either } from '../diagnostics/words/words.ts';
import type { Span } from '../source/span.ts';
import type { Argument, Call, Name, Value } from '../syntax/tree.ts';
import { bindCall, give, refuseCondition, takePositional } from './bind-call.ts';
import type { Given, GivenCondition, StageBinding } from './binding.ts';
import type { Context } from './context.ts';
import { type Scope, spanIn } from './module.ts';
import { own } from './own.ts';

interface OpenMethod {
  readonly entry: MethodEntry;
  readonly options: Map<string, Given>;
  readonly span: Span;
}

/** `base` is what a named stage brings along; the arguments here come on top of it. */
export function bindStage(
  entry: StageEntry,
  call: Call,
  scope: Scope,
  context: Context,
  base?: StageBinding,
): StageBinding {
  const { module } = scope;
  const options = new Map<string, Given>();
  const conditions: GivenCondition[] = [...(base?.conditions ?? [])];
  let method: OpenMethod | undefined;
  /** The method whose keys follow; not the stage's own where that has been refused. */
  let open: OpenMethod | undefined;
  // The method of a named stage stands open at its call: `doctor(r=16)`.
  const inherited = base?.method;
  const inheritedOptions = new Map<string, Given>();
  let positional = 0;
  let broken = call.broken || base?.broken === true;

  const openMethod = (name: Name, explicit: Call | undefined): void => {
    const span = spanIn(module, name.range);
    const known = context.catalog.methods[name.text]!;
    if (!entry.methods.includes(name.text)) {
      const data = { stage: entry.name, method: name.text, legal: entry.methods };
      context.report(diagnose('method-not-hosted', data, { span }));
      broken = true;
    } else if (method !== undefined) {
      const related = [{ span: method.span, label: 'first method' }];
      const data = { stage: entry.name, first: method.entry.name, second: name.text };
      context.report(diagnose('two-methods', data, { span, related }));
      broken = true;
    }
    const bound = explicit === undefined ? undefined : bindCall(known, explicit, scope, context);
    broken ||= bound?.broken === true;
    const opened = { entry: known, options: new Map(bound?.options ?? []), span };
    method ??= opened;
    open = explicit === undefined ? opened : undefined;
  };

  const takeKeyed = (arg: Extract<Argument, { kind: 'keyed' }>): void => {
    const key = arg.key.text;
    const given = { bound: { value: arg.value, scope }, span: spanIn(module, arg.range) };
    if (open !== undefined && own(open.entry.options, key) !== undefined)
      give(open.options, key, given, context);
    else if (own(entry.options, key) !== undefined) give(options, key, given, context);
    else if (
      method === undefined &&
      inherited !== undefined &&
      own(inherited.entry.options, key) !== undefined
    )
      give(inheritedOptions, key, given, context);
    else {
      unknownKey(entry, arg.key, open, method, scope, context);
      broken = true;
    }
  };

  for (const arg of call.args) {
    if (arg.closes) open = undefined;
    if (arg.kind === 'keyed') takeKeyed(arg);
    else if (arg.kind === 'condition') {
      if (entry.conditions) conditions.push({ condition: arg.condition, scope });
      else {
        refuseCondition(entry.name, arg.condition.range, scope, context);
        broken = true;
      }
    } else {
      const word = methodWord(arg.value, context);
      if (word !== undefined) openMethod(word.path.names[0]!, word.parens ? word : undefined);
      else if (!takePositional(entry, arg.value, positional++, options, scope, context, entry.methods)) {
        broken = true;
        // A misspelt method has been reported; its keys are fine.
        const meant =
          arg.value.kind === 'call' ? nearest(arg.value.call.path.text, entry.methods) : undefined;
        const known = meant === undefined ? undefined : own(context.catalog.methods, meant);
        if (known !== undefined) open = { entry: known, options: new Map(), span: spanIn(module, arg.range) };
      }
    }
  }

  const chosen = method ?? inherited;
  const same = method === undefined || method.entry === inherited?.entry;
  const methodOptions = new Map([
    ...(same ? (inherited?.options ?? []) : []),
    ...inheritedOptions,
    ...(method?.options ?? []),
  ]);
  return {
    entry,
    options: new Map([...(base?.options ?? []), ...options]),
    ...(chosen === undefined
      ? {}
      : {
          method: { entry: chosen.entry, options: methodOptions, ...(chosen.span && { span: chosen.span }) },
        }),
    conditions,
    modelOptions: base?.modelOptions ?? new Map(),
    broken,
  };
}

function methodWord(value: Value, { catalog }: Context): Call | undefined {
  if (value.kind !== 'call' || value.call.path.names.length !== 1) return undefined;
  return Object.hasOwn(catalog.methods, value.call.path.text) ? value.call : undefined;
}

function unknownKey(
  entry: StageEntry,
  key: Name,
  open: OpenMethod | undefined,
  closed: OpenMethod | undefined,
  { module }: Scope,
  context: Context,
): void {
  const span = spanIn(module, key.range);
  const stageKeys = Object.keys(entry.options);
  const hosts = entry.methods.filter(
    (name) => own(context.catalog.methods[name]?.options ?? {}, key.text) !== undefined,
  );
  if (open !== undefined) {
    const given = [...open.options.keys()];
    const others = hosts.filter((name) =>
      given.every((one) => own(context.catalog.methods[name]!.options, one)),
    );
    const data = {
      owner: open.entry.name,
      name: key.text,
      legal: Object.keys(open.entry.options),
      alsoLegal: stageKeys,
      hint:
        others.length === 0
          ? undefined
          : `\`${key.text}\` is a parameter of ${either(others)}: write that in place of \`${open.entry.name}\``,
    };
    context.report(
      diagnose('unknown-param', data, { span, related: [{ span: open.span, label: 'method opened here' }] }),
    );
    return;
  }
  const [host] = hosts;
  const hint =
    closed !== undefined && hosts.includes(closed.entry.name)
      ? `\`${key.text}\` is a parameter of \`${closed.entry.name}\`: write it right behind that word, before any \`;\``
      : host === undefined
        ? undefined
        : `\`${key.text}\` is a parameter of the method \`${host}\`: write \`${entry.name}(${host} ${key.text}=…)\``;
  context.report(
    diagnose('unknown-param', { owner: entry.name, name: key.text, legal: stageKeys, hint }, { span }),
  );
}
