import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.ts';
import type { Pass } from '../pass.ts';
import { directoryOf, joinPath } from '../source/paths.ts';
import { type SourceFile, spanOf } from '../source/source-file.ts';
import { type Parsed, parse } from '../syntax/parse.ts';
import type { Item, Name } from '../syntax/tree.ts';
import { lex } from '../tokens/lex.ts';
import type { Module } from './module.ts';

/** Gives the file that `use "path"` in the file `from` means; `undefined` where there is none. */
export type Resolve = (path: string, from: SourceFile) => SourceFile | undefined;

export interface Linked {
  readonly entry: Module;
  /** Every file once, the entry file first. */
  readonly modules: readonly Module[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the files that the entry file uses, and theirs; each once, in the order of the text. */
function link(parsed: Parsed, resolve: Resolve): Linked {
  const diagnostics: Diagnostic[] = [];
  const modules: Module[] = [];
  const byPath = new Map<string, Module>();
  const open: string[] = [];

  const read = (file: Parsed, directory: string): Module => {
    const uses = new Map<string, Module | undefined>();
    const module: Module = {
      source: file.source,
      directory,
      tree: file.tree,
      incomplete: file.incomplete,
      ...declare(file, diagnostics),
      uses,
    };
    modules.push(module);
    byPath.set(file.source.path, module);
    diagnostics.push(...file.diagnostics);
    open.push(file.source.path);
    for (const item of file.tree.items) {
      if (item.kind === 'use') uses.set(item.name.text, use(item, module));
    }
    open.pop();
    return module;
  };

  const use = (item: Extract<Item, { kind: 'use' }>, module: Module): Module | undefined => {
    const span = spanOf(module.source, item.pathRange);
    const refuse = (why: string): undefined => {
      diagnostics.push(diagnose('bad-import', { path: item.path, why }, { span }));
    };
    if (/^([/~\\]|[A-Za-z]:|\w+:\/\/)/.test(item.path)) return refuse('the path is not relative');
    if (!item.path.endsWith('.ftp')) return refuse('it is not a `.ftp` file');
    const source = resolve(item.path, module.source);
    if (source === undefined) {
      diagnostics.push(diagnose('import-not-found', { path: item.path }, { span }));
      return undefined;
    }
    const circle = open.indexOf(source.path);
    if (circle !== -1) {
      const cycle = [...open.slice(circle), source.path];
      diagnostics.push(diagnose('circular', { what: 'file', cycle }, { span }));
      return undefined;
    }
    if (open.length > 100) return refuse('files use each other more than 100 deep');
    const known = byPath.get(source.path);
    return known ?? read(parse(lex(source)), joinPath(module.directory, directoryOf(item.path)));
  };

  const entry = read(parsed, '.');
  return { entry, modules, diagnostics };
}

type Declarations = Pick<Module, 'values' | 'data' | 'models' | 'templates' | 'steps' | 'profiles'>;

/** Items by name; names are apart only by kind of thing, so `data chat` and `template chat` may both be there. */
function declare({ source, tree }: Parsed, diagnostics: Diagnostic[]): Declarations {
  const declared = {
    values: new Map(),
    data: new Map(),
    models: new Map(),
    templates: new Map(),
    steps: new Map(),
    profiles: new Map(),
  } satisfies { [K in keyof Declarations]: Map<string, Item> };
  const uses = new Map<string, Item>();
  const tables = {
    let: declared.values,
    param: declared.values,
    data: declared.data,
    model: declared.models,
    template: declared.templates,
    stage: declared.steps,
    pipeline: declared.steps,
    profile: declared.profiles,
    use: uses,
  } as const satisfies { readonly [K in Item['kind']]: Map<string, Item> };
  const places = new Map<Item, Name>();
  for (const item of tree.items) {
    if (item.name === undefined) continue;
    const table: Map<string, Item> = tables[item.kind];
    const first = table.get(item.name.text);
    if (first === undefined) {
      table.set(item.name.text, item);
      places.set(item, item.name);
      continue;
    }
    const span = spanOf(source, item.name.range);
    const related = [{ span: spanOf(source, places.get(first)!.range), label: 'declared here first' }];
    diagnostics.push(
      diagnose('duplicate-name', { kind: item.kind, name: item.name.text }, { span, related }),
    );
  }
  return declared;
}

export const linking = (resolve: Resolve): Pass<Parsed, Linked> => ({
  name: 'link',
  ensures: 'every file that is used has been read once, and no file uses itself',
  run: (parsed) => link(parsed, resolve),
  print: ({ modules }) => modules.map(({ source, directory }) => `${source.path} (${directory})\n`).join(''),
});
