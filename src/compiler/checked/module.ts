/** A parsed file with its declarations by name, and the files it uses. */
import type { SourceFile } from '../source/source-file.ts';
import { spanOf } from '../source/source-file.ts';
import type { Range, Span } from '../source/span.ts';
import type { ItemOf, Name, Tree, Value } from '../syntax/tree.ts';

export interface Module {
  readonly source: SourceFile;
  /** Directory of the file, relative to that of the entry file. */
  readonly directory: string;
  readonly tree: Tree;
  /** Parts of the file could not be read. */
  readonly incomplete: boolean;
  readonly values: ReadonlyMap<string, ItemOf<'let'> | ItemOf<'param'>>;
  readonly data: ReadonlyMap<string, ItemOf<'data'>>;
  readonly models: ReadonlyMap<string, ItemOf<'model'>>;
  readonly templates: ReadonlyMap<string, ItemOf<'template'>>;
  /** What a step may name besides the catalog's stages. */
  readonly steps: ReadonlyMap<string, ItemOf<'stage'> | ItemOf<'pipeline'>>;
  readonly profiles: ReadonlyMap<string, ItemOf<'profile'>>;
  /** Filled while linking; a file that could not be read is present as `undefined`. */
  readonly uses: ReadonlyMap<string, Module | undefined>;
}

/** Where the names of a value are looked up. */
export interface Scope {
  readonly module: Module;
  /** Parameters of the pipeline that is being expanded. */
  readonly parameters?: ReadonlyMap<string, Bound>;
}

/** A written value with the place where its names mean something. */
export interface Bound {
  readonly value: Value;
  readonly scope: Scope;
}

export const spanIn = (module: Module, range: Range): Span => spanOf(module.source, range);
export const spanOfBound = ({ value, scope }: Bound): Span => spanIn(scope.module, value.range);

/** `notes` here, `shared.notes` in the file used as `shared`; `module: undefined` where that file could not be read. */
export function locate(
  module: Module,
  names: readonly Name[],
): { module: Module | undefined; name: string } | undefined {
  const [first, second] = names;
  if (first === undefined || names.length > 2) return undefined;
  if (second === undefined) return { module, name: first.text };
  return module.uses.has(first.text) ? { module: module.uses.get(first.text), name: second.text } : undefined;
}

/** Names of one kind that may be written in a file: its own, and `shared.notes` of the files it uses. */
export function namesIn(module: Module, kind: 'data' | 'models' | 'steps' | 'templates'): string[] {
  const used = [...module.uses].flatMap(([prefix, other]) =>
    [...(other?.[kind].keys() ?? [])].map((name) => `${prefix}.${name}`),
  );
  return [...module[kind].keys(), ...used];
}
