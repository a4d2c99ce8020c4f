/** A problem with its place and its words: what renderers draw. */
import type { Span } from '../source/span.ts';
import { codes, type ProblemName, type Severity } from './codes.ts';
import { type ProblemData, words } from './words.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A change of the source that removes the problem; only those that keep the meaning are made. */
export interface Fix {
  readonly edits: readonly Edit[];
}

export interface RelatedPlace {
  readonly span: Span;
  readonly label: string;
}

export interface Diagnostic {
  /** `FTP2003` */
  readonly code: string;
  /** `unknown-param` */
  readonly name: ProblemName;
  readonly severity: Severity;
  /** Lower case, no full stop. */
  readonly message: string;
  /** Absent where no text is to blame (an empty file, a store in use). */
  readonly span?: Span;
  /** Words at the caret. */
  readonly label?: string;
  readonly related: readonly RelatedPlace[];
  readonly notes: readonly string[];
  readonly help: readonly string[];
  readonly fix?: Fix;
}

export interface Place {
  readonly span?: Span | undefined;
  readonly related?: readonly RelatedPlace[];
  /** Instead of the replacement that the words propose. */
  readonly fix?: Fix | undefined;
}

/** Puts a problem into words and at its place. The only way a diagnostic is made. */
export function diagnose<K extends ProblemName>(
  name: K,
  data: ProblemData<K>,
  place: Place = {},
): Diagnostic {
  const { code, severity } = codes[name];
  const say = words[name] as (data: ProblemData<K>) => ReturnType<(typeof words)[K]>;
  const said = say(data);
  const replaced =
    said.replacement !== undefined && place.span !== undefined
      ? { edits: [{ span: place.span, text: said.replacement }] }
      : undefined;
  const fix = place.fix ?? replaced;
  return {
    code,
    name,
    severity,
    message: said.message,
    ...(place.span === undefined ? {} : { span: place.span }),
    ...(said.label === undefined ? {} : { label: said.label }),
    related: place.related ?? [],
    notes: said.notes ?? [],
    help: said.help ?? [],
    ...(fix === undefined ? {} : { fix }),
  };
}

/** For code that must stop at once: a stage at run time, a command that cannot go on. */
export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === 'error');

/** Exit code of a command that ends with these: 0 without errors, else that of the first error. */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): number {
  const first = diagnostics.find(({ severity }) => severity === 'error');
  return first === undefined ? 0 : codes[first.name].exit;
}

/** By file in the given order, then by place; diagnostics without a place come first. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[], paths: readonly string[]): Diagnostic[] {
  const order = new Map(paths.map((path, index) => [path, index]));
  const rank = ({ span }: Diagnostic): number =>
    span === undefined ? -1 : (order.get(span.file) ?? order.size);
  return [...diagnostics].sort((a, b) => rank(a) - rank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0));
}
