/** THE FLOW: text → tokens → syntax tree → linked files → checked pipeline → execution graph. */
import type { Catalog } from './catalog.ts';
import { type Choices, checking } from './checked/check.ts';
import { linking, type Resolve } from './checked/link.ts';
import type { Diagnostic } from './diagnostics/diagnostic.ts';
import { connecting } from './graph/connect.ts';
import type { ExecutionGraph } from './graph/graph.ts';
import { type Observe, runPass } from './pass.ts';
import type { SourceFile } from './source/source-file.ts';
import { type Parsed, parsing } from './syntax/parse.ts';
import { lexing, type Tokens } from './tokens/lex.ts';

export interface CompileOptions extends Choices {
  readonly catalog: Catalog;
  /** Reads the files of `use`; without it there are none. */
  readonly resolve?: Resolve | undefined;
  readonly observe?: Observe | undefined;
}

export interface Compiled {
  /** There where the chosen pipeline and all that it uses have no errors. */
  readonly graph?: ExecutionGraph;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names of the pipelines in the file. */
  readonly pipelines: readonly string[];
  /** Every text that a diagnostic may point into: the file, those it uses, `--set`. */
  readonly sources: readonly SourceFile[];
  readonly tokens: Tokens;
  readonly parsed: Parsed;
}

/** Source text → execution graph. Total: whatever the text, problems come back as diagnostics. */
export function compile(entry: SourceFile, options: CompileOptions): Compiled {
  const { catalog, resolve = () => undefined, observe } = options;
  const tokens = runPass(lexing, entry, observe);
  const parsed = runPass(parsing, tokens, observe);
  const linked = runPass(linking(resolve), parsed, observe);
  const checked = runPass(checking(catalog, options), linked, observe);
  const connected = runPass(connecting, checked, observe);
  return { ...connected, pipelines: checked.names, sources: checked.sources, tokens, parsed };
}
