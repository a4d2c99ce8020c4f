/** A bound stage → a job without its edges: options, method, model, data, with every default written down. */
import type { CallEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { DataExpression, FilledDefault, Job, Options } from '../graph/graph.ts';
import type { Span } from '../source/span.ts';
import type { Call, ItemOf } from '../syntax/tree.ts';
import { bindCall } from './bind-call.ts';
import type { Given, GivenCondition, Givens } from './binding.ts';
import { complete } from './complete.ts';
import type { Context } from './context.ts';
import { evaluate, reduce, textOf, wrongType } from './evaluate.ts';
import type { PlacedStage } from './expand.ts';
import { type Bound, locate, type Module, spanIn, spanOfBound } from './module.ts';
import { own } from './own.ts';
import type { RowsResolver } from './rows.ts';

export interface CheckedTemplate {
  /** Name of the item; absent for one written in place. */
  readonly name?: string;
  readonly text: string;
}

/** What the graph still has to find out: edges, conditions, the template where the stage names none. */
export interface CheckedStage {
  readonly job: Omit<Job, 'inputs' | 'conditions' | 'template'>;
  readonly entry: PlacedStage['binding']['entry'];
  readonly idSpan: Span;
  readonly conditions: readonly GivenCondition[];
  readonly takesTemplate: boolean;
  readonly template?: CheckedTemplate;
  /** Options that name another stage. */
  readonly labels: readonly { readonly label: string; readonly span: Span }[];
  readonly broken: boolean;
}

export class StageChecker {
  constructor(
    private readonly context: Context,
    private readonly rows: RowsResolver,
    private readonly entry: Module,
  ) {}

  stage(placed: PlacedStage): CheckedStage {
    const { id, binding, span, idSpan, module } = placed;
    const { entry } = binding;
    const modules = [module, this.entry];
    const own = complete(
      {
        entry,
        given: binding.options,
        broken: binding.broken,
        path: id,
        defaultFrom: 'stage default',
        method: binding.method?.entry.name ?? entry.defaultMethod,
        span: idSpan,
        modules,
      },
      this.context,
    );
    const method = this.method(placed, modules);
    const references = this.references(placed, modules);
    const defaults = [...method.defaults, ...own.defaults, ...references.defaults];
    const spans: { [option: string]: Span } = {};
    const given = [...binding.modelOptions, ...(binding.method?.options ?? []), ...binding.options];
    for (const [name, value] of given) spans[name] = value.span;
    if (binding.method?.span !== undefined) spans.method ??= binding.method.span;
    return {
      job: {
        id,
        kind: entry.name,
        options: { ...own.options, ...references.labelOptions },
        ...(method.chosen === undefined ? {} : { method: method.chosen }),
        ...(references.model === undefined ? {} : { model: references.model }),
        data: references.data,
        outputs: entry.writes,
        defaults,
        span,
        spans,
      },
      entry,
      idSpan,
      conditions: binding.conditions,
      takesTemplate: Object.values(entry.options).some(({ refers }) => refers === 'template'),
      ...(references.template === undefined ? {} : { template: references.template }),
      labels: references.labels,
      broken: binding.broken || !own.sound,
    };
  }

  private method(
    { id, binding, idSpan }: PlacedStage,
    modules: readonly Module[],
  ): { chosen?: { name: string; options: Options }; defaults: readonly FilledDefault[] } {
    const { defaultMethod, name: stage } = binding.entry;
    const entry = binding.method?.entry ?? own(this.context.catalog.methods, defaultMethod ?? '');
    if (entry === undefined) return { defaults: [] };
    const span = binding.method?.span ?? idSpan;
    const given = binding.method?.options ?? new Map();
    const made = complete(
      { entry, given, broken: binding.broken, path: id, defaultFrom: 'method default', span, modules },
      this.context,
    );
    const chosenByDefault = binding.method === undefined || binding.method.span === undefined;
    const choice = { path: `${id}.method`, value: entry.name, from: `default of ${stage}` };
    return {
      chosen: { name: entry.name, options: made.options },
      defaults: chosenByDefault ? [choice, ...made.defaults] : made.defaults,
    };
  }

  /** Options that name something else: data, a model, a template, a stage. */
  private references({ id, binding, idSpan }: PlacedStage, modules: readonly Module[]) {
    const { entry, options } = binding;
    const data: { [option: string]: DataExpression } = {};
    const defaults: FilledDefault[] = [];
    const labels: { label: string; span: Span }[] = [];
    const labelOptions: { [option: string]: string } = {};
    let model: { name: string; options: Options } | undefined;
    let template: CheckedTemplate | undefined;
    for (const [name, schema] of Object.entries(entry.options)) {
      const given = options.get(name);
      if (schema.refers === 'data') {
        const rows = given && this.rows.value(given.bound);
        if (rows !== undefined) {
          data[name] = rows.expression;
          for (const { path, ...rest } of rows.defaults)
            defaults.push({ path: `${id}.${name}.${path}`, ...rest });
        } else if (given === undefined && entry.data?.option === name) {
          const options = { stage: entry.name };
          data[name] = {
            source: { name: 'convention', options, inputs: [] },
            operators: [],
            directory: '.',
            span: idSpan,
          };
          defaults.push({
            path: `${id}.${name}`,
            value: `data/${entry.name}.{txt,jsonl,csv,parquet}`,
            from: 'convention',
          });
        }
      } else if (schema.refers === 'model') {
        const found = this.model(id, name, given, schema.default, binding.modelOptions, idSpan, modules);
        model = found?.model ?? model;
        defaults.push(...(found?.defaults ?? []));
      } else if (schema.refers === 'template') template = given && this.template(given.bound);
      else if (schema.refers === 'stage' && given !== undefined) {
        const label = evaluate(given.bound, name, { type: 'string' }, this.context);
        if (typeof label !== 'string') continue;
        labels.push({ label, span: spanOfBound(given.bound) });
        labelOptions[name] = label;
      }
    }
    return { data, defaults, labels, labelOptions, model, template };
  }

  private model(
    id: string,
    option: string,
    given: Given | undefined,
    preset: unknown,
    changes: Givens,
    idSpan: Span,
    modules: readonly Module[],
  ): { model: { name: string; options: Options }; defaults: readonly FilledDefault[] } | undefined {
    const path = `${id}.${option}`;
    if (given !== undefined) return this.modelValue(given.bound, path, changes);
    const entry = typeof preset === 'string' ? own(this.context.catalog.models, preset) : undefined;
    if (entry === undefined) return undefined;
    const made = this.completeModel(entry, new Map(), changes, false, path, idSpan, modules);
    return {
      model: made.model,
      defaults: [{ path, value: entry.name, from: 'stage default' }, ...made.defaults],
    };
  }

  /** `llama`, `llama(…)`, or a `model` item. */
  modelValue(bound: Bound, path: string, changes: Givens = new Map()): ReturnType<StageChecker['model']> {
    const reduced = reduce(bound, this.context);
    if (reduced === undefined) return undefined;
    const { value, scope } = reduced;
    const word = value.kind === 'call' ? undefined : textOf(reduced, this.context);
    const names = value.kind === 'call' ? value.call.path.names : [{ text: word ?? '', range: value.range }];
    const place = locate(scope.module, names);
    const item =
      value.kind === 'call' && value.call.parens ? undefined : place?.module?.models.get(place.name);
    if (item !== undefined) return this.modelCall(item.call, place!.module!, path, changes);
    if (value.kind === 'call')
      return this.modelCall(value.call, scope.module, path, changes, scope.parameters);
    const legal = [...scope.module.models.keys(), ...Object.keys(this.context.catalog.models)];
    const written = word ?? scope.module.source.text.slice(value.range.start, value.range.end);
    this.context.report(
      diagnose('unknown-name', { name: written, kind: 'model', legal }, { span: spanOfBound(reduced) }),
    );
    return undefined;
  }

  private modelCall(
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
      const legal = [...Object.keys(this.context.catalog.models), ...module.models.keys()];
      this.context.report(diagnose('unknown-name', { name: call.path.text, kind: 'model', legal }, { span }));
      return undefined;
    }
    const { options, broken } = bindCall(
      entry,
      call,
      { module, ...(parameters && { parameters }) },
      this.context,
    );
    return this.completeModel(entry, options, changes, broken, path, span, [module, this.entry]);
  }

  private completeModel(
    entry: CallEntry,
    options: Givens,
    changes: Givens,
    broken: boolean,
    path: string,
    span: Span,
    modules: readonly Module[],
  ) {
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
    return { model: { name: entry.name, options: made.options }, defaults: made.defaults };
  }

  /** A `template` item by name, or the jinja itself. */
  template(bound: Bound): CheckedTemplate | undefined {
    const reduced = reduce(bound, this.context);
    if (reduced === undefined) return undefined;
    const { value, scope } = reduced;
    const text = textOf(reduced, this.context);
    const names = value.kind === 'call' ? value.call.path.names : [{ text: text ?? '', range: value.range }];
    const place = locate(scope.module, names);
    const item = place?.module?.templates.get(place.name);
    if (item !== undefined) return this.templateItem(item, place!.module!);
    if (value.kind !== 'call' && text !== undefined && (value.kind === 'block' || /\{[{%]/.test(text)))
      return { text };
    if (place !== undefined && place.module === undefined) return undefined;
    const legal = [...scope.module.templates.keys()];
    const written = text ?? scope.module.source.text.slice(value.range.start, value.range.end);
    const hint = `declare it: \`template ${names.at(-1)!.text || 'chat'} = """…"""\``;
    this.context.report(
      diagnose(
        'unknown-name',
        { name: written, kind: 'template', legal, hint },
        { span: spanOfBound(reduced) },
      ),
    );
    return undefined;
  }

  templateItem(item: ItemOf<'template'>, module: Module): CheckedTemplate | undefined {
    const reduced = reduce({ value: item.value, scope: { module } }, this.context);
    if (reduced === undefined) return undefined;
    const text = reduced.value.kind === 'call' ? undefined : textOf(reduced, this.context);
    if (text === undefined) wrongType(reduced, item.name.text, { type: 'string' }, this.context);
    return text === undefined ? undefined : { name: item.name.text, text };
  }
}
