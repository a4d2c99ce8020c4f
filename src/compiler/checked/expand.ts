/** A chain → its stages one by one: named stages and called pipelines are put in their place. */
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Span } from '../source/span.ts';
import type { Call, Chain, ItemOf, Step } from '../syntax/tree.ts';
import { give, refuseCondition } from './bind-call.ts';
import { bindStage } from './bind-stage.ts';
import type { Given, StageBinding } from './binding.ts';
import type { Context } from './context.ts';
import { type Bound, locate, type Module, namesIn, type Scope, spanIn } from './module.ts';
import { own } from './own.ts';

export interface PlacedStage {
  readonly id: string;
  /** The label, or the name where there is none. */
  readonly idSpan: Span;
  readonly span: Span;
  readonly binding: StageBinding;
  readonly module: Module;
}

export interface Expanded {
  /** `undefined` stands for a step that could not be read or found: it may do anything. */
  readonly stages: readonly (PlacedStage | undefined)[];
}

const mostStages = 40_000;

export class Expander {
  private readonly stageItems = new Map<ItemOf<'stage'>, StageBinding | undefined | null>();
  private readonly open: ItemOf<'pipeline'>[] = [];
  /** Members of circles that have been reported. */
  private readonly circular = new Set<ItemOf<'pipeline'>>();
  private readonly openStages: string[] = [];
  /** Stages of all pipelines of the file. */
  private placed = 0;

  constructor(private readonly context: Context) {}

  /** All stages of a pipeline; `given` are values of its own parameters. One that grows without bounds has none. */
  pipeline(
    item: ItemOf<'pipeline'>,
    module: Module,
    given: ReadonlyMap<string, Bound> = new Map(),
  ): Expanded {
    const stages: (PlacedStage | undefined)[] = [];
    this.inline(item, module, given, '', stages);
    return { stages: this.placed > mostStages ? [undefined] : stages };
  }

  /** A `stage` item by itself, so that one that nobody uses is checked as well. */
  stageItem(item: ItemOf<'stage'>, module: Module): StageBinding | undefined {
    const known = this.stageItems.get(item);
    const span = spanIn(module, item.name.range);
    if (known === null) {
      const name = item.name.text;
      const cycle = [...this.openStages.slice(this.openStages.indexOf(name)), name];
      this.context.report(diagnose('circular', { what: 'stage', cycle }, { span }));
      return undefined;
    }
    if (known !== undefined || this.stageItems.has(item)) return known;
    this.stageItems.set(item, null);
    this.openStages.push(item.name.text);
    const binding = this.context.nested(span, () => this.bind(item.call, { module }));
    this.openStages.pop();
    this.stageItems.set(item, binding);
    return binding;
  }

  private inline(
    item: ItemOf<'pipeline'>,
    module: Module,
    given: ReadonlyMap<string, Bound>,
    prefix: string,
    stages: (PlacedStage | undefined)[],
  ): void {
    this.open.push(item);
    const parameters = new Map<string, Bound>();
    for (const { name, value } of item.parameters)
      parameters.set(name.text, given.get(name.text) ?? { value, scope: { module } });
    this.chain(item.chain, { module, parameters }, prefix, stages);
    this.open.pop();
  }

  private chain(chain: Chain, scope: Scope, prefix: string, stages: (PlacedStage | undefined)[]): void {
    for (const step of chain.steps) {
      if (this.placed > mostStages) return;
      if (this.placed++ === mostStages) {
        const span = spanIn(scope.module, step.range);
        this.context.report(diagnose('too-large', { what: 'this pipeline', most: mostStages }, { span }));
        return;
      }
      this.step(step, scope, prefix, stages);
    }
    if (chain.broken) stages.push(undefined);
  }

  private step(
    { label, call, range }: Step,
    scope: Scope,
    prefix: string,
    stages: (PlacedStage | undefined)[],
  ): void {
    const { module } = scope;
    const place = locate(module, call.path.names);
    const item = this.itemOf(call, module);
    if (item?.kind === 'pipeline') {
      this.callPipeline(
        item,
        place!.module!,
        call,
        scope,
        prefix + (label === undefined ? '' : `${label.text}-`),
        stages,
      );
      return;
    }
    const binding = this.bind(call, scope);
    const id = prefix + (label?.text ?? call.path.names.at(-1)!.text);
    const idSpan = spanIn(module, (label ?? call.path).range);
    stages.push(binding && { id, idSpan, span: spanIn(module, range), binding, module });
  }

  private bind(call: Call, scope: Scope): StageBinding | undefined {
    const { module } = scope;
    const place = locate(module, call.path.names);
    const item = this.itemOf(call, module);
    if (item?.kind === 'stage') {
      const base = this.stageItem(item, place!.module!);
      return base && bindStage(base.entry, call, scope, this.context, base);
    }
    const entry = own(this.context.catalog.stages, call.path.text);
    if (entry !== undefined) return bindStage(entry, call, scope, this.context);
    if (place === undefined || place.module !== undefined) this.unknown(call, scope, item !== undefined);
    return undefined;
  }

  /** The declared stage or pipeline of this name; names of the language itself cannot be taken. */
  private itemOf({ path }: Call, module: Module): ItemOf<'stage'> | ItemOf<'pipeline'> | undefined {
    if (own(this.context.catalog.stages, path.text) !== undefined) return undefined;
    const place = locate(module, path.names);
    return place?.module?.steps.get(place.name);
  }

  private callPipeline(
    item: ItemOf<'pipeline'>,
    target: Module,
    call: Call,
    scope: Scope,
    prefix: string,
    stages: (PlacedStage | undefined)[],
  ): void {
    const span = spanIn(scope.module, call.path.range);
    const circle = this.open.indexOf(item);
    if (circle !== -1) {
      const members = this.open.slice(circle);
      const cycle = [...members, item].map(({ name }) => name?.text ?? 'pipeline');
      if (!members.some((member) => this.circular.has(member))) {
        this.context.report(diagnose('circular', { what: 'pipeline', cycle }, { span }));
      }
      for (const member of members) this.circular.add(member);
      stages.push(undefined);
      return;
    }
    const given = this.pipelineArguments(item, call, scope);
    this.context.nested(span, () => this.inline(item, target, given, prefix, stages));
  }

  private pipelineArguments(item: ItemOf<'pipeline'>, call: Call, scope: Scope): ReadonlyMap<string, Bound> {
    const owner = call.path.text;
    const legal = item.parameters.map(({ name }) => name.text);
    const given = new Map<string, Given>();
    for (const arg of call.args) {
      const span = spanIn(scope.module, arg.range);
      if (arg.kind === 'condition') refuseCondition(owner, arg.range, scope, this.context);
      else if (arg.kind === 'positional') {
        const written = scope.module.source.text.slice(arg.range.start, arg.range.end);
        this.context.report(diagnose('unknown-argument', { owner, written, legal: [], takes: 0 }, { span }));
      } else if (!legal.includes(arg.key.text)) {
        const place = { span: spanIn(scope.module, arg.key.range) };
        this.context.report(diagnose('unknown-param', { owner, name: arg.key.text, legal }, place));
      } else give(given, arg.key.text, { bound: { value: arg.value, scope }, span }, this.context);
    }
    return new Map([...given].map(([name, { bound }]) => [name, bound]));
  }

  private unknown({ path }: Call, { module }: Scope, isPipeline: boolean): void {
    const { catalog } = this.context;
    const name = path.text;
    const first = Object.keys(catalog.stages)[0] ?? 'stage';
    const hint = isPipeline
      ? `\`${name}\` is a pipeline: use it as a step of another pipeline`
      : own(catalog.methods, name) !== undefined
        ? `\`${name}\` is a method: write it into a stage, such as \`${this.hostOf(name) ?? first}(${name})\``
        : module.data.has(name)
          ? `\`${name}\` is data: a stage reads it with \`data=${name}\``
          : own(catalog.sources, name) !== undefined || own(catalog.operators, name) !== undefined
            ? `\`${name}\` makes rows: write \`data name = ${name}(…)\``
            : undefined;
    const legal = [...Object.keys(catalog.stages), ...namesIn(module, 'steps')];
    this.context.report(
      diagnose('unknown-stage', { name, kind: 'stage', legal, hint }, { span: spanIn(module, path.range) }),
    );
  }

  private hostOf(method: string): string | undefined {
    return Object.values(this.context.catalog.stages).find(({ methods }) => methods.includes(method))?.name;
  }
}
