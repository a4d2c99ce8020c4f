/** What `model=…` names: an entry of the catalog, a call of one, or a `model` item. */
import type { ModelEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Span } from '../source/span.ts';
import type { Call } from '../syntax/tree.ts';
import { bindCall } from './bind-call.ts';
import type { Givens } from './binding.ts';
import { complete } from './complete.ts';
import type { Context } from './context.ts';
import { reduce, textOf } from './evaluate.ts';
import { type Bound, locate, type Module, namesIn, spanIn, spanOfBound } from './module.ts';
import { own } from './own.ts';
import type { FilledDefault, ModelCall } from './stage-job.ts';

export interface CheckedModel {
  readonly model: ModelCall;
  readonly weights: ModelEntry['weights'];
  /** Name of the `model` item, where one was named. */
  readonly item?: string;
  readonly defaults: readonly FilledDefault[];
}

/** `undefined` means: a problem has been reported. */
export class ModelResolver {
  constructor(
    private readonly context: Context,
    private readonly entry: Module,
  ) {}

  /** The model that an option names by default; without a default there is none. */
  preset(
    name: unknown,
    path: string,
    changes: Givens,
    span: Span,
    modules: readonly Module[],
  ): CheckedModel | undefined {
    const entry = typeof name === 'string' ? own(this.context.catalog.models, name) : undefined;
    if (entry === undefined) return undefined;
    const made = this.complete(entry, new Map(), changes, false, path, span, modules);
    return {
      ...made,
      defaults: [{ path, value: entry.name, from: 'stage default' }, ...made.defaults],
    };
  }

  /** `llama`, `llama(…)`, or a `model` item. */
  value(bound: Bound, path: string, changes: Givens = new Map()): CheckedModel | undefined {
    const reduced = reduce(bound, this.context);
    if (reduced === undefined) return undefined;
    const { value, scope } = reduced;
    const word = value.kind === 'call' ? undefined : textOf(reduced, this.context);
    const names = value.kind === 'call' ? value.call.path.names : [{ text: word ?? '', range: value.range }];
    const place = locate(scope.module, names);
    const item =
      value.kind === 'call' && value.call.parens ? undefined : place?.module?.models.get(place.name);
    if (item !== undefined) {
      const made = this.call(item.call, place!.module!, path, changes);
      return made && { ...made, item: place!.name };
    }
    if (value.kind === 'call') return this.call(value.call, scope.module, path, changes, scope.parameters);
    const legal = [...namesIn(scope.module, 'models'), ...Object.keys(this.context.catalog.models)];
    const written = word ?? scope.module.source.text.slice(value.range.start, value.range.end);
    this.context.report(
      diagnose('unknown-name', { name: written, kind: 'model', legal }, { span: spanOfBound(reduced) }),
    );
    return undefined;
  }

  private call(
    call: Call,
    module: Module,
    path: string,
    changes: Givens,
    parameters?: ReadonlyMap<string, Bound>,
  ) {
    const entry = own(this.context.catalog.models, call.path.text);
    const span = spanIn(module, call.path.range);
    if (entry === undefined) {
      const place = locate(module, call.path.names);
      if (place !== undefined && place.module === undefined) return undefined;
      const legal = [...Object.keys(this.context.catalog.models), ...namesIn(module, 'models')];
      this.context.report(diagnose('unknown-name', { name: call.path.text, kind: 'model', legal }, { span }));
      return undefined;
    }
    const { options, broken } = bindCall(
      entry,
      call,
      { module, ...(parameters && { parameters }) },
      this.context,
    );
    return this.complete(entry, options, changes, broken, path, span, [module, this.entry]);
  }

  complete(
    entry: ModelEntry,
    options: Givens,
    changes: Givens,
    broken: boolean,
    path: string,
    span: Span,
    modules: readonly Module[],
  ): CheckedModel {
    const given = new Map(options);
    for (const [name, value] of changes) {
      if (own(entry.options, name) !== undefined) given.set(name, value);
      else {
        const data = { owner: entry.name, name, legal: Object.keys(entry.options) };
        this.context.report(diagnose('unknown-param', data, { span: value.span }));
      }
    }
    const made = complete(
      { entry, given, broken, path, defaultFrom: 'model default', span, modules },
      this.context,
    );
    const { directory } = modules[0] ?? this.entry;
    return {
      model: { name: entry.name, options: made.options, directory },
      weights: entry.weights,
      defaults: made.defaults,
    };
  }
}
