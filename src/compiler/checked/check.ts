import type { Catalog } from '../catalog.ts';
import { type Diagnostic, diagnose, hasErrors } from '../diagnostics/diagnostic.ts';
import type { Pass } from '../pass.ts';
import { stemOf } from '../source/paths.ts';
import type { SourceFile } from '../source/source-file.ts';
import { parseSetting } from '../syntax/parse.ts';
import type { ItemOf } from '../syntax/tree.ts';
import { checkItems } from './check-items.ts';
import { type CheckedStage, StageChecker } from './check-stage.ts';
import { type Context, createContext } from './context.ts';
import { Expander, type PlacedStage } from './expand.ts';
import type { Linked } from './link.ts';
import { ModelResolver } from './models.ts';
import type { Module } from './module.ts';
import { applyOverrides, type Override, profileOverrides, reportUnused, setParams } from './overrides.ts';
import { RowsResolver } from './rows.ts';

/** What the command line chooses. */
export interface Choices {
  readonly pipeline?: string | undefined;
  readonly profile?: string | undefined;
  /** `--set path=value`, in order. */
  readonly set?: readonly { readonly path: string; readonly value: string }[] | undefined;
  /** Only check: a file may have several pipelines, or none. */
  readonly everyPipeline?: boolean | undefined;
}

export interface CheckedPipeline {
  readonly name: string;
  /** `undefined` stands for a step that could not be read. */
  readonly stages: readonly (CheckedStage | undefined)[];
  /** Steps may be missing that could not be read. */
  readonly incomplete: boolean;
}

export interface Checked {
  /** Names of the pipelines of the entry file. */
  readonly names: readonly string[];
  readonly pipelines: readonly CheckedPipeline[];
  readonly selected?: CheckedPipeline;
  /** Every text that a diagnostic may point into: the files, the entry file first, then each `--set`. */
  readonly sources: readonly SourceFile[];
  readonly context: Context;
  readonly diagnostics: Diagnostic[];
}

/** Names, types and units of the whole program; every pipeline of the entry file as a list of checked stages. */
function check({ entry, modules, diagnostics: before }: Linked, catalog: Catalog, choices: Choices): Checked {
  const diagnostics: Diagnostic[] = [...before];
  const context = createContext(catalog, diagnostics);
  const pipelines = entry.tree.items.filter((item): item is ItemOf<'pipeline'> => item.kind === 'pipeline');
  const nameOf = (item: ItemOf<'pipeline'>): string => item.name?.text ?? stemOf(entry.source.path);
  const names = pipelines.map(nameOf);
  const selected = select(pipelines, entry, choices, hasErrors(before), context);

  const { overrides, sources: settings } = readOverrides(entry, choices, context);
  const sources = [...modules.map(({ source }) => source), ...settings];
  const own = (selected === undefined ? pipelines : [selected]).flatMap(({ parameters }) => parameters);
  const { stageOverrides, given } = setParams(
    overrides,
    entry,
    new Set(own.map(({ name }) => name.text)),
    context,
  );

  const rows = new RowsResolver(context, entry);
  const models = new ModelResolver(context, entry);
  const stages = new StageChecker(context, rows, models, entry);
  const expander = new Expander(context);
  for (const module of modules) checkItems(module, { context, rows, models, stages, expander });

  const used = new Set<Override>();
  const expanded = pipelines.map((item) => {
    const isMeant = selected === undefined || item === selected;
    const plain = expander.pipeline(item, entry, isMeant ? given : new Map()).stages;
    return {
      item,
      isMeant,
      plain,
      placed: isMeant ? applyOverrides(plain, stageOverrides, context, used) : plain,
    };
  });
  const checked = new Map(
    expanded.map(({ item, placed }) => [
      item,
      {
        name: nameOf(item),
        stages: placed.map((stage) => stage && stages.stage(stage)),
        incomplete: entry.incomplete,
      },
    ]),
  );
  const params = [...entry.values].flatMap(([name, { kind }]) => (kind === 'param' ? [name] : []));
  if (pipelines.length > 0) {
    const meant = expanded.flatMap(({ isMeant, plain }) => (isMeant ? plain : []));
    // A profile is of the whole file: it may name stages of its other pipelines. `--set` is about the one that runs.
    const ofProfile = stageOverrides.filter(({ scope }) => scope.module === entry);
    for (const { isMeant, plain } of expanded) if (!isMeant) applyOverrides(plain, ofProfile, context, used);
    reportUnused(stageOverrides, used, meant, [...params, ...own.map(({ name }) => name.text)], context);
    checkOtherProfiles(entry, choices.profile, expanded, stages, params, context);
  }
  const chosen = selected && checked.get(selected);
  return {
    names,
    pipelines: [...checked.values()],
    ...(chosen && { selected: chosen }),
    sources,
    context,
    diagnostics,
  };
}

function select(
  pipelines: readonly ItemOf<'pipeline'>[],
  entry: Module,
  { pipeline, everyPipeline }: Choices,
  isBroken: boolean,
  context: Context,
): ItemOf<'pipeline'> | undefined {
  const named = pipelines.flatMap(({ name }) => (name === undefined ? [] : [name.text]));
  if (pipeline !== undefined) {
    const found = pipelines.find(({ name }) => name?.text === pipeline.normalize('NFC'));
    if (found === undefined)
      context.report(diagnose('unknown-choice', { kind: 'pipeline', name: pipeline, legal: named }));
    return found;
  }
  const anonymous = pipelines.find(({ name }) => name === undefined);
  if (anonymous !== undefined || pipelines.length === 1) return anonymous ?? pipelines[0];
  if (isBroken) return undefined;
  if (entry.tree.items.length === 0) context.report(diagnose('empty-file', { path: entry.source.path }));
  if (everyPipeline || entry.tree.items.length === 0) return undefined;
  if (pipelines.length === 0) context.report(diagnose('no-pipeline', { path: entry.source.path }));
  else context.report(diagnose('which-pipeline', { names: named }));
  return undefined;
}

function readOverrides(
  entry: Module,
  { profile, set }: Choices,
  context: Context,
): { overrides: readonly Override[]; sources: readonly SourceFile[] } {
  const overrides: Override[] = [];
  const sources: SourceFile[] = [];
  const chosen = profile === undefined ? undefined : entry.profiles.get(profile.normalize('NFC'));
  if (chosen !== undefined) overrides.push(...profileOverrides(chosen, entry));
  else if (profile !== undefined) {
    const legal = [...entry.profiles.keys()];
    context.report(diagnose('unknown-choice', { kind: 'profile', name: profile, legal }));
  }
  for (const [index, { path, value }] of (set ?? []).entries()) {
    const source = { path: index === 0 ? '--set' : `--set #${index + 1}`, text: `${path}=${value}` };
    sources.push(source);
    const { setting, diagnostics } = parseSetting(source);
    for (const diagnostic of diagnostics) context.report(diagnostic);
    if (setting !== undefined)
      overrides.push({ setting, scope: { module: { ...entry, source } }, from: `--set ${source.text}` });
  }
  return { overrides, sources };
}

/** Profiles that are not chosen now are checked as well: their paths and their values. */
function checkOtherProfiles(
  entry: Module,
  chosen: string | undefined,
  expanded: readonly { readonly plain: readonly (PlacedStage | undefined)[] }[],
  stages: StageChecker,
  params: readonly string[],
  context: Context,
): void {
  for (const profile of entry.profiles.values()) {
    if (profile.name.text === chosen) continue;
    const apart = { ...context, params: new Map() };
    const { stageOverrides } = setParams(profileOverrides(profile, entry), entry, new Set(), apart);
    const used = new Set<Override>();
    for (const { plain } of expanded) {
      const changed = applyOverrides(plain, stageOverrides, context, used);
      for (const [index, stage] of changed.entries())
        if (stage !== undefined && stage !== plain[index]) stages.stage(stage);
    }
    reportUnused(
      stageOverrides,
      used,
      expanded.flatMap(({ plain }) => plain),
      params,
      context,
    );
  }
}

export const checking = (catalog: Catalog, choices: Choices): Pass<Linked, Checked> => ({
  name: 'check',
  ensures: 'every name is declared, every value fits its option, every default is written down',
  run: (linked) => check(linked, catalog, choices),
  print: ({ pipelines }) =>
    pipelines
      .map(({ name, stages }) => `${name}: ${stages.map((stage) => stage?.job.id ?? '?').join(' → ')}\n`)
      .join(''),
});
