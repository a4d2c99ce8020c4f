import type { CstNode, IRecognitionException, IToken } from 'chevrotain';
import { PipelineParser } from '../../../grammar/parser.ts';
import type { ProblemName } from '../diagnostics/codes.ts';
import { type Diagnostic, diagnose, hasErrors } from '../diagnostics/diagnostic.ts';
import type { Pass } from '../pass.ts';
import { type SourceFile, spanOf } from '../source/source-file.ts';
import type { Range } from '../source/span.ts';
import { lex, maxErrors, type Tokens } from '../tokens/lex.ts';
import { buildSetting, buildTree } from './build.ts';
import { layoutProblems } from './layout.ts';
import { printTree } from './print.ts';
import type { StringProblem } from './strings.ts';
import { syntaxProblem } from './syntax-problem.ts';
import type { Setting, Tree } from './tree.ts';

export interface Parsed {
  readonly source: SourceFile;
  readonly tokens: Tokens;
  /** Always there; what could not be read is left out. */
  readonly tree: Tree;
  /** The same with every comma in its place, for the formatter. */
  readonly concrete?: CstNode | undefined;
  /** Those of the tokens included. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was not read may have been whole steps, so nothing is known to be missing from a pipeline. */
  readonly incomplete: boolean;
}

/** Mistakes inside of one value. */
const contained: ReadonlySet<ProblemName> = new Set(['bad-escape', 'missing-value']);

let parser: PipelineParser | undefined;

function theParser(): PipelineParser {
  parser ??= new PipelineParser({
    nodeLocationTracking: 'onlyOffset',
    errorMessageProvider: {
      // The words are made from the data: only what was expected is worth keeping.
      buildMismatchTokenMessage: ({ expected }) => expected.name,
      buildNotAllInputParsedMessage: () => '',
      buildNoViableAltMessage: () => '',
      buildEarlyExitMessage: () => '',
    },
  });
  return parser;
}

/** Total: a tree comes back for every text. At most one syntax error per line. */
export function parse(tokens: Tokens): Parsed {
  const { source } = tokens;
  const strings: StringProblem[] = [];
  const grammar = theParser();
  grammar.input = [...tokens.tokens];
  const concrete = grammar.file() as CstNode | undefined;
  const tree =
    concrete === undefined ? { items: [] } : buildTree(concrete, (problem) => strings.push(problem));
  const found = [
    ...tokens.diagnostics,
    ...strings.map((problem) => stringDiagnostic(source, problem)),
    ...grammar.errors.slice(0, 10 * maxErrors).map((error) => syntaxDiagnostic(source, tokens.tokens, error)),
  ];
  const diagnostics = limit(onePerLine(found));
  if (!hasErrors(diagnostics)) diagnostics.push(...limit(layoutProblems(source, tree)));
  const incomplete = diagnostics.some(({ name, severity }) => severity === 'error' && !contained.has(name));
  return { source, tokens, tree, concrete, diagnostics, incomplete };
}

/** `path=value` of the command line; the value falls back to plain text, so `--set export.to=my dir` needs no quotes. */
export function parseSetting(source: SourceFile): { setting?: Setting; diagnostics: readonly Diagnostic[] } {
  const strings: StringProblem[] = [];
  const { tokens, diagnostics } = lex(source);
  const grammar = theParser();
  grammar.input = [...tokens];
  const concrete = grammar.setting() as CstNode | undefined;
  const setting = concrete && buildSetting(concrete, (problem) => strings.push(problem));
  if (grammar.errors.length === 0 && diagnostics.length === 0 && setting !== undefined) {
    return { setting, diagnostics: strings.map((problem) => stringDiagnostic(source, problem)) };
  }
  const equals = source.text.indexOf('=');
  const path = source.text.slice(0, Math.max(equals, 0)).split('.');
  if (equals < 1 || path.some((name) => !/^(\*|[\p{L}_][\p{L}\p{M}\p{N}_-]*)$/u.test(name.trim()))) {
    const [error] = grammar.errors;
    const found = error === undefined ? [] : [syntaxDiagnostic(source, tokens, error)];
    return { diagnostics: [...diagnostics, ...found] };
  }
  const range = { start: equals + 1, end: source.text.length };
  return {
    setting: {
      path: path.map((name) => ({ text: name.trim().normalize('NFC'), range: { start: 0, end: equals } })),
      value: { kind: 'raw', text: source.text.slice(equals + 1), range },
      range: { start: 0, end: source.text.length },
    },
    diagnostics: [],
  };
}

function syntaxDiagnostic(
  source: SourceFile,
  tokens: readonly IToken[],
  error: IRecognitionException,
): Diagnostic {
  return syntaxProblem(error, tokens, (range: Range) => spanOf(source, range), source.text.length);
}

function stringDiagnostic(source: SourceFile, problem: StringProblem): Diagnostic {
  const span = spanOf(source, problem.range);
  if (problem.kind === 'escape') return diagnose('bad-escape', { escape: problem.text }, { span });
  const help = 'write `\\$` for a dollar sign before a brace';
  return diagnose(
    'unexpected',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the language's own spelling
    { found: problem.text, expected: 'a name between `${` and `}`', help },
    { span },
  );
}

/** What follows a first mistake on a line is mostly its echo; mistakes in words come before those in sentences. */
function onePerLine(found: readonly Diagnostic[]): Diagnostic[] {
  const isLexical = ({ code }: Diagnostic): boolean => code.startsWith('FTP0');
  const start = ({ span }: Diagnostic): number => span?.start ?? -1;
  const lines = new Set<number>();
  const kept = [...found]
    .sort((a, b) => Number(isLexical(b)) - Number(isLexical(a)) || start(a) - start(b))
    .filter(({ span, severity }) => {
      if (span === undefined || severity === 'warning') return true;
      if (lines.has(span.line)) return false;
      lines.add(span.line);
      return true;
    });
  return kept.sort((a, b) => start(a) - start(b));
}

function limit(found: Diagnostic[]): Diagnostic[] {
  if (found.length <= maxErrors) return found;
  const more = found.length - maxErrors;
  const place = { span: found[maxErrors]!.span };
  return [...found.slice(0, maxErrors), diagnose('too-many-errors', { shown: maxErrors, more }, place)];
}

export const parsing: Pass<Tokens, Parsed> = {
  name: 'parse',
  ensures: 'there is a tree of all that could be read',
  run: parse,
  print: ({ tree }) => printTree(tree),
};
