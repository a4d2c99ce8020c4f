/** `source(…) → operator(…)`, by name or in place → data expressions. `undefined` means: a problem has been reported. */
import type { CallEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Range } from '../source/span.ts';
import type { Call, ItemOf, Value } from '../syntax/tree.ts';
import { bindCall } from './bind-call.ts';
import { complete } from './complete.ts';
import type { Context } from './context.ts';
import { reduce } from './evaluate.ts';
import { type Bound, locate, type Module, namesIn, type Scope, spanIn } from './module.ts';
import { own } from './own.ts';
import type { DataExpression, FilledDefault, Options } from './stage-job.ts';

export interface Rows {
  readonly expression: DataExpression;
  /** Paths relative to the option that takes the rows: `header`. */
  readonly defaults: readonly FilledDefault[];
  /** Number of calls in it, with those of its inputs. */
  readonly size: number;
}

/** Data items are worked out once; `null` while one is being worked out, so that a circle is seen. */
export type RowsMemo = Map<ItemOf<'data'>, { rows: Rows | undefined } | null>;

const mostCalls = 2000;

export class RowsResolver {
  private readonly memo: RowsMemo = new Map();
  private readonly open: string[] = [];

  constructor(
    private readonly context: Context,
    private readonly entry: Module,
  ) {}

  /** What `data=…` names: an item, a call of a source, or rows worked on in place. */
  value(bound: Bound): Rows | undefined {
    const reduced = reduce(bound, this.context);
    if (reduced === undefined) return undefined;
    const { value, scope } = reduced;
    if (value.kind === 'rows') return this.chain(value.calls, value.range, scope);
    if (value.kind === 'call') return this.chain([value.call], value.range, scope);
    const word = literalWord(value);
    if (word !== undefined)
      return this.named(scope.module, [{ text: word, range: value.range }], value.range, word);
    const written = scope.module.source.text.slice(value.range.start, value.range.end);
    const help = 'name a `data` item, or write a source: `jsonl("rows.jsonl")`';
    const data = { written, why: 'rows of data are expected', help };
    this.context.report(diagnose('misplaced-call', data, { span: spanIn(scope.module, value.range) }));
    return undefined;
  }

  item(item: ItemOf<'data'>, module: Module): Rows | undefined {
    const known = this.memo.get(item);
    if (known) return known.rows;
    const span = spanIn(module, item.name.range);
    if (known === null) {
      const name = item.name.text;
      const cycle = [...this.open.slice(this.open.indexOf(name)), name];
      this.context.report(diagnose('circular', { what: 'data', cycle }, { span }));
      return undefined;
    }
    this.memo.set(item, null);
    this.open.push(item.name.text);
    const { steps, broken } = item.chain;
    for (const { label } of steps) {
      if (label === undefined) continue;
      const data = { written: `${label.text}:`, why: 'rows have no labels', help: 'remove the label' };
      this.context.report(diagnose('misplaced-call', data, { span: spanIn(module, label.range) }));
    }
    const calls = steps.map(({ call }) => call);
    const work = (): Rows | undefined => this.chain(calls, item.chain.range, { module });
    const made = broken || calls.length === 0 ? undefined : this.context.nested(span, work);
    const rows = made && { ...made, expression: { ...made.expression, name: item.name.text } };
    this.open.pop();
    this.memo.set(item, { rows });
    return rows;
  }

  private chain(calls: readonly Call[], range: Range, scope: Scope): Rows | undefined {
    const [first, ...rest] = calls;
    let rows = this.source(first!, range, scope);
    for (const call of rest) {
      const entry = this.entryOf(call, 'operator', scope);
      const made = entry && this.complete(entry, call, scope);
      if (made === undefined || rows === undefined) rows = undefined;
      else {
        const { name: _name, ...expression } = rows.expression;
        const operators = [...expression.operators, { name: call.path.text, options: made.options }];
        const size = rows.size + 1;
        rows = {
          expression: { ...expression, operators },
          defaults: [...rows.defaults, ...made.defaults],
          size,
        };
      }
    }
    return rows;
  }

  private source(call: Call, range: Range, scope: Scope): Rows | undefined {
    if (!call.parens) return this.named(scope.module, call.path.names, call.path.range, call.path.text);
    const entry = this.entryOf(call, 'source', scope);
    if (entry === undefined) return undefined;
    const made = this.complete(entry, call, scope);
    if (made === undefined) return undefined;
    const inputs = this.inputs(entry, call, scope);
    if (inputs === undefined) return undefined;
    const size = inputs.reduce((sum, input) => sum + input.size, 1);
    const span = spanIn(scope.module, range);
    if (size > mostCalls) {
      this.context.report(diagnose('too-large', { what: 'this data', most: mostCalls }, { span }));
      return undefined;
    }
    const source = {
      name: entry.name,
      options: made.options,
      inputs: inputs.map(({ expression }) => expression),
    };
    return {
      expression: { source, operators: [], directory: scope.module.directory, span },
      defaults: [...made.defaults, ...inputs.flatMap(({ defaults }) => defaults)],
      size,
    };
  }

  /** Options that name data themselves: `mix(a b)`. */
  private inputs(entry: CallEntry, call: Call, scope: Scope): Rows[] | undefined {
    const { options } = bindCall(entry, call, scope, { ...this.context, report: () => {} });
    const rows: (Rows | undefined)[] = [];
    for (const [name, { refers }] of Object.entries(entry.options)) {
      const given = refers === 'data' ? options.get(name) : undefined;
      const reduced = given && reduce(given.bound, this.context);
      if (reduced === undefined) continue;
      const { value } = reduced;
      const each =
        value.kind === 'list'
          ? value.items.map((item) => ({ value: item, scope: reduced.scope }))
          : [reduced];
      rows.push(...each.map((bound) => this.value(bound)));
    }
    return rows.every((row) => row !== undefined) ? rows : undefined;
  }

  private named(
    module: Module,
    names: Call['path']['names'],
    range: Range,
    written: string,
  ): Rows | undefined {
    const place = locate(module, names);
    const found = place?.module?.data.get(place.name);
    if (found !== undefined) return this.item(found, place!.module!);
    if (place !== undefined && place.module === undefined) return undefined;
    const isUsed = names.length === 2 && place?.module !== undefined;
    const legal = namesIn(module, 'data');
    const isSource = own(this.context.catalog.sources, written) !== undefined;
    const owner = isUsed ? ` in the file used as \`${names[0]!.text}\`` : '';
    const hint = isSource
      ? `\`${written}\` is a source: write \`${written}(…)\``
      : `declare it${owner}: \`data ${names.at(-1)?.text ?? written} = jsonl("…")\``;
    const looksLikePath = /[/.]/.test(written) && names.length < 2;
    const source = /\.(txt|csv)$/.exec(written)?.[1] ?? 'jsonl';
    const help = looksLikePath
      ? `for a file write its source: \`${source === 'txt' ? 'text' : source}("${written}")\``
      : hint;
    const data = { name: written, kind: 'data', legal, hint: help };
    this.context.report(diagnose('unknown-name', data, { span: spanIn(module, range) }));
    return undefined;
  }

  private entryOf(call: Call, kind: 'source' | 'operator', { module }: Scope): CallEntry | undefined {
    const { sources, operators } = this.context.catalog;
    const [table, other] = kind === 'source' ? [sources, operators] : [operators, sources];
    const found = own(table, call.path.text);
    if (found !== undefined) return found;
    const span = spanIn(module, call.path.range);
    if (own(other, call.path.text) !== undefined) {
      const why =
        kind === 'source' ? 'rows come from a source first' : 'a source stands only at the beginning';
      const help =
        kind === 'source'
          ? `write \`jsonl("…") → ${call.path.text}(…)\``
          : 'to put rows together write `mix(a b)`';
      this.context.report(diagnose('misplaced-call', { written: call.path.text, why, help }, { span }));
    } else {
      const legal = Object.keys(table);
      this.context.report(diagnose('unknown-stage', { name: call.path.text, kind, legal }, { span }));
    }
    return undefined;
  }

  private complete(
    entry: CallEntry,
    call: Call,
    scope: Scope,
  ): { options: Options; defaults: readonly FilledDefault[] } | undefined {
    const { options: given, broken } = bindCall(entry, call, scope, this.context);
    const span = spanIn(scope.module, call.path.range);
    const modules = [scope.module, this.entry];
    const made = complete(
      { entry, given, broken, path: entry.name, defaultFrom: `${entry.name} default`, span, modules },
      this.context,
    );
    return made.sound ? made : undefined;
  }
}

function literalWord(value: Value): string | undefined {
  if (value.kind === 'raw') return value.text;
  const [only] = value.kind === 'text' && value.parts.length === 1 ? value.parts : [];
  return typeof only === 'string' ? only : undefined;
}
