import type { Catalog } from '../catalog.ts';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.ts';
import type { Span } from '../source/span.ts';
import type { ItemOf, Value } from '../syntax/tree.ts';
import type { Bound } from './module.ts';

/** What all checks share: the names of the language, where problems go, and how much work is left. */
export interface Context {
  readonly catalog: Catalog;
  report(diagnostic: Diagnostic): void;
  /** Values of params that `--set` or a profile replaces, with where from in words. */
  readonly params: Map<ItemOf<'param'>, { readonly bound: Bound; readonly from: string }>;
  /** Lists and texts that are being worked out: one that comes round again is circular. */
  readonly active: Set<Value>;
  /** Members of circles that have been reported. */
  readonly circular: Set<Value>;
  /** Counts values worked out, so that definitions which double each other end. */
  spend(at: Span): boolean;
  /** Works out a definition inside of another one; too many inside of each other are refused, for the stack is finite. */
  nested<T>(at: Span, work: () => T): T | undefined;
}

const deepest = 200;

/** Far beyond any pipeline: 4,000 stages take about 50,000. */
const mostWork = 1_000_000;

export function createContext(catalog: Catalog, diagnostics: Diagnostic[]): Context {
  let spent = 0;
  let depth = 0;
  const seen = new Set<string>();
  const report = (diagnostic: Diagnostic): void => {
    // One definition used by many stages is one mistake.
    const { name, message, span } = diagnostic;
    const key = `${name} ${span?.file}:${span?.start} ${message}`;
    if (seen.has(key)) return;
    seen.add(key);
    diagnostics.push(diagnostic);
  };
  return {
    catalog,
    report,
    params: new Map(),
    active: new Set(),
    circular: new Set(),
    spend(at) {
      spent++;
      if (spent === mostWork)
        report(diagnose('too-large', { what: 'this value', most: mostWork }, { span: at }));
      return spent < mostWork;
    },
    nested(at, work) {
      if (depth >= deepest) {
        report(diagnose('too-large', { what: 'the nesting of definitions', most: deepest }, { span: at }));
        return undefined;
      }
      depth++;
      const made = work();
      depth--;
      return made;
    },
  };
}
