/** `path = value` of `--set` and of profiles, laid over the stages of a pipeline. */
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { ItemOf, Setting } from '../syntax/tree.ts';
import { bindCall } from './bind-call.ts';
import type { Given, StageBinding } from './binding.ts';
import type { Context } from './context.ts';
import type { PlacedStage } from './expand.ts';
import { type Bound, type Module, type Scope, spanIn } from './module.ts';
import { own } from './own.ts';

export interface Override {
  readonly setting: Setting;
  readonly scope: Scope;
  /** `--set sft.lr=1e-4`, `profile smoke`. */
  readonly from: string;
}

/** Where the values of params and of the pipeline's own parameters go; the rest is about stages. */
export function setParams(
  overrides: readonly Override[],
  entry: Module,
  parameters: ReadonlySet<string>,
  context: Context,
): { readonly stageOverrides: readonly Override[]; readonly given: ReadonlyMap<string, Bound> } {
  const stageOverrides: Override[] = [];
  const given = new Map<string, Bound>();
  for (const override of overrides) {
    const { path, value } = override.setting;
    const name = path.length === 1 ? path[0]!.text : undefined;
    const bound = { value, scope: override.scope };
    const item = name === undefined ? undefined : entry.values.get(name);
    if (name !== undefined && parameters.has(name)) given.set(name, bound);
    else if (item?.kind === 'param') context.params.set(item, { bound, from: override.from });
    else stageOverrides.push(override);
  }
  return { stageOverrides, given };
}

/** The stages with the overrides in them, and which overrides found a place. */
export function applyOverrides(
  stages: readonly (PlacedStage | undefined)[],
  overrides: readonly Override[],
  context: Context,
  used: Set<Override>,
): readonly (PlacedStage | undefined)[] {
  if (overrides.length === 0) return stages;
  return stages.map((stage) => {
    if (stage === undefined) return undefined;
    let { binding } = stage;
    for (const override of overrides) {
      const target = override.setting.path[0]!.text;
      if (target !== '*' && target !== stage.id) continue;
      const changed = applyOne(binding, override, context);
      if (changed === undefined) continue;
      used.add(override);
      binding = changed;
    }
    return binding === stage.binding ? stage : { ...stage, binding };
  });
}

/** `undefined` where the stage has nothing of that name. */
function applyOne(
  binding: StageBinding,
  { setting, scope, from }: Override,
  context: Context,
): StageBinding | undefined {
  const [, key, inner, ...more] = setting.path.map(({ text }) => text);
  if (key === undefined || more.length > 0) return undefined;
  const given: Given = {
    bound: { value: setting.value, scope },
    span: spanIn(scope.module, setting.range),
    from,
  };
  const { entry } = binding;
  const schema = own(entry.options, key);
  if (inner !== undefined) {
    if (schema?.refers !== 'model') return undefined;
    const named = { ...given, span: spanIn(scope.module, setting.path[2]!.range) };
    return { ...binding, modelOptions: new Map([...binding.modelOptions, [inner, named]]) };
  }
  const method = binding.method?.entry ?? own(context.catalog.methods, entry.defaultMethod ?? '');
  if (method !== undefined && own(method.options, key) !== undefined) {
    const options = new Map([...(binding.method?.options ?? []), [key, given]]);
    return { ...binding, method: { ...binding.method, entry: method, options } };
  }
  if (schema !== undefined) return { ...binding, options: new Map([...binding.options, [key, given]]) };
  return key === 'method' ? chooseMethod(binding, setting, scope, context) : undefined;
}

/** `sft.method = full` */
function chooseMethod(
  binding: StageBinding,
  { value }: Setting,
  scope: Scope,
  context: Context,
): StageBinding | undefined {
  const name = value.kind === 'call' ? value.call.path.text : value.kind === 'raw' ? value.text : '';
  const chosen = own(context.catalog.methods, name);
  const span = spanIn(scope.module, value.range);
  if (chosen === undefined || !binding.entry.methods.includes(name)) {
    const data = { stage: binding.entry.name, method: name, legal: binding.entry.methods };
    context.report(diagnose('method-not-hosted', data, { span }));
    return binding;
  }
  const bound = value.kind === 'call' ? bindCall(chosen, value.call, scope, context) : { options: new Map() };
  return { ...binding, method: { entry: chosen, options: bound.options, span } };
}

/** Overrides that found no place, each with what is wrong with its path. */
export function reportUnused(
  overrides: readonly Override[],
  used: ReadonlySet<Override>,
  stages: readonly (PlacedStage | undefined)[],
  params: readonly string[],
  context: Context,
): void {
  const placed = stages.filter((stage) => stage !== undefined);
  if (placed.length < stages.length) return;
  for (const override of overrides) {
    if (used.has(override)) continue;
    const { path } = override.setting;
    const [target, key] = path.map(({ text }) => text);
    const found = target === '*' ? placed : placed.filter(({ id }) => id === target);
    const place = {
      span: spanIn(override.scope.module, (found.length > 0 ? (path[1] ?? path[0]) : path[0])!.range),
    };
    const written = path.map(({ text }) => text).join('.');
    if (path.length === 1) {
      const data = {
        path: written,
        why: `no param \`${target}\``,
        name: target!,
        legal: params,
        whole: true,
      };
      context.report(diagnose('unknown-setting', data, place));
    } else if (found.length === 0) {
      const legal = placed.map(({ id }) => id);
      const data = { path: written, why: `no stage \`${target}\``, name: target!, legal, whole: false };
      context.report(diagnose('unknown-setting', data, place));
    } else {
      const legal = [...new Set(found.flatMap(({ binding }) => settable(binding, context)))];

      const why = target === '*' ? `no stage has \`${key}\`` : `\`${target}\` has no \`${key}\``;
      context.report(
        diagnose('unknown-setting', { path: written, why, name: key!, legal, whole: false }, place),
      );
    }
  }
}

function settable(binding: StageBinding, context: Context): string[] {
  const method = binding.method?.entry ?? own(context.catalog.methods, binding.entry.defaultMethod ?? '');
  return [...Object.keys(method?.options ?? {}), ...Object.keys(binding.entry.options)];
}

/** All settings of a profile. */
export const profileOverrides = (profile: ItemOf<'profile'>, module: Module): Override[] =>
  profile.settings.map((setting) => ({ setting, scope: { module }, from: `profile ${profile.name.text}` }));
