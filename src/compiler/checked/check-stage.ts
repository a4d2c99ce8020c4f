/** A bound stage → a job without its edges: options, method, model, data, with every default written down. */

import type { OptionSchema, StageEntry } from '../catalog.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Span } from '../source/span.ts';
import type { Given, GivenCondition } from './binding.ts';
import { complete } from './complete.ts';
import type { Context } from './context.ts';
import { evaluate, reduce } from './evaluate.ts';
import type { PlacedStage } from './expand.ts';
import { itemsOf } from './list-items.ts';
import type { CheckedModel, ModelResolver } from './models.ts';
import { type Bound, type Module, spanOfBound } from './module.ts';
import { own } from './own.ts';
import type { RowsResolver } from './rows.ts';
import type { DataExpression, FilledDefault, ModelCall, Options, StageJob } from './stage-job.ts';
import { type CheckedTemplate, resolveTemplate } from './templates.ts';

/** What the graph still has to find out: edges, conditions, the template where the stage names none. */
export interface CheckedStage {
  readonly job: StageJob;
  readonly entry: PlacedStage['binding']['entry'];
  readonly idSpan: Span;
  readonly conditions: readonly GivenCondition[];
  readonly takesTemplate: boolean;
  readonly template?: CheckedTemplate;
  /** Models that are opened for it, each for one slot. */
  readonly opens: readonly OpenedModel[];
  /** Options that name another stage. */
  readonly labels: readonly { readonly label: string; readonly span: Span }[];
  readonly broken: boolean;
}

/** A model with weights that an option names. */
export interface OpenedModel {
  readonly slot: 'policy' | 'reward';
  /** Absent where it has a problem that has been reported. */
  readonly model?: ModelCall;
  /** Name of the `model` item, where one was named. */
  readonly item?: string;
  readonly defaults: readonly FilledDefault[];
  readonly span: Span;
}

export class StageChecker {
  constructor(
    private readonly context: Context,
    private readonly rows: RowsResolver,
    private readonly models: ModelResolver,
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
    for (const [name, value] of given) {
      spans[name] = value.span;
      if (Array.isArray(method.chosen?.options[name] ?? own.options[name]))
        Object.assign(spans, this.wordSpans(name, value.bound));
    }
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
      opens: references.opens,
      labels: references.labels,
      broken: binding.broken || !own.sound,
    };
  }

  /** `targets.gate`, in a list that could be evaluated. */
  private wordSpans(name: string, list: Bound): { [word: string]: Span } {
    const items = itemsOf(reduce(list, this.context) ?? list, this.context);
    return Object.fromEntries(
      items.flatMap(({ bound }) =>
        bound.value.kind === 'call' ? [[`${name}.${bound.value.call.path.text}`, spanOfBound(bound)]] : [],
      ),
    );
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
    const opens: OpenedModel[] = [];
    let model: ModelCall | undefined;
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
            value: (schema.defaultNote ?? 'data/<stage>.*').replace('<stage>', entry.name),
            from: 'convention',
          });
        }
      } else if (schema.refers === 'model') {
        const path = `${id}.${name}`;
        const found =
          given === undefined
            ? this.models.preset(schema.default, path, binding.modelOptions, idSpan, modules)
            : this.models.value(given.bound, path, binding.modelOptions);
        const sound = found !== undefined && this.fits(found, schema, entry, given);
        if (schema.opens !== undefined && given !== undefined && (!sound || found.weights === 'existing'))
          opens.push({
            slot: schema.opens,
            ...(sound && { model: found.model }),
            ...(found?.item !== undefined && { item: found.item }),
            defaults: found?.defaults ?? [],
            span: given.span,
          });
        else if (sound) {
          model = found.model;
          defaults.push(...found.defaults);
        }
      } else if (schema.refers === 'template') template = given && resolveTemplate(given.bound, this.context);
      else if (schema.refers === 'stage' && given !== undefined) {
        const label = evaluate(given.bound, name, { type: 'string' }, this.context);
        if (typeof label !== 'string') continue;
        labels.push({ label, span: spanOfBound(given.bound) });
        labelOptions[name] = label;
      }
    }
    return { data, defaults, labels, labelOptions, model, opens, template };
  }

  /** Whether the stage can start from such a model: not every stage makes weights for a new one. */
  private fits(
    { model, weights, item }: CheckedModel,
    schema: OptionSchema,
    { name: stage }: StageEntry,
    given: Given | undefined,
  ): boolean {
    const makesWeights = schema.default !== undefined;
    if (weights === 'existing' || makesWeights) return true;
    const span = given && spanOfBound(given.bound);
    const data = { stage, model: model.name, written: item ?? `${model.name}(…)` };
    this.context.report(diagnose('model-without-weights', data, span ? { span } : {}));
    return false;
  }
}
