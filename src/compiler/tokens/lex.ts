import type { IToken } from 'chevrotain';
import { pipelineLexer } from '../../../grammar/tokens.ts';
import { type Diagnostic, diagnose, type Fix } from '../diagnostics/diagnostic.ts';
import type { Pass } from '../pass.ts';
import { lookAlikes, skeleton } from '../source/names.ts';
import { maxSourceLength, type SourceFile, spanOf } from '../source/source-file.ts';
import type { Range } from '../source/span.ts';
import { twinOf } from './twins.ts';

/** A text as words of the language; comments stand apart, in order. */
export interface Tokens {
  readonly source: SourceFile;
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  readonly diagnostics: readonly Diagnostic[];
}

/** More mistakes than this are not a pipeline with mistakes but something else. */
export const maxErrors = 100;
const maxDepth = 200;
/** Some 10,000 stages. */
const maxTokens = 200_000;

/** Total: never throws, whatever the text. A text that is no pipeline at all comes back without tokens. */
export function lex(source: SourceFile): Tokens {
  const refused = refuse(source);
  if (refused !== undefined) return { source, tokens: [], comments: [], diagnostics: [refused] };
  const { tokens, groups } = pipelineLexer.tokenize(source.text);
  const diagnostics = [
    ...strays(source, groups.stray ?? []),
    ...unclosedStrings(source, tokens),
    ...mixedNames(source, tokens),
  ];
  const refusal = tooMany(source, tokens.length) ?? tooDeep(source, tokens);
  const lost = refusal !== undefined || diagnostics.length > maxErrors;
  if (refusal !== undefined) diagnostics.unshift(refusal);
  return { source, tokens: lost ? [] : tokens, comments: groups.comments ?? [], diagnostics };
}

function refuse(source: SourceFile): Diagnostic | undefined {
  const { text } = source;
  if (text.length > maxSourceLength) {
    const place = { span: spanOf(source, { start: 0, end: 0 }) };
    return diagnose('file-too-large', { length: text.length, most: maxSourceLength, of: 'bytes' }, place);
  }
  const control = text.search(/[\u0000-\u0008\u000E-\u001B\u007F\uFFFD]/);
  if (control === -1) return undefined;
  const span = spanOf(source, { start: control, end: control + 1 });
  return diagnose('not-text', { why: 'control characters' }, { span });
}

function tooMany(source: SourceFile, tokens: number): Diagnostic | undefined {
  if (tokens <= maxTokens) return undefined;
  const place = { span: spanOf(source, { start: 0, end: 0 }) };
  return diagnose('file-too-large', { length: tokens, most: maxTokens, of: 'words' }, place);
}

/** Neighbouring stray characters are one mistake. */
function strays(source: SourceFile, found: readonly IToken[]): Diagnostic[] {
  const out: Diagnostic[] = [];
  let end = -1;
  for (const { startOffset } of found) {
    const adjacent = startOffset === end;
    end = startOffset + 1;
    if (adjacent || out.length > maxErrors) continue;
    const character = String.fromCodePoint(source.text.codePointAt(startOffset) ?? 0);
    const range = { start: startOffset, end: startOffset + character.length };
    end = range.end;
    const twin = twinOf(character);
    const span = spanOf(source, range);
    out.push(diagnose('bad-character', { character, twin }, { span, fix: pairFix(source, range, twin) }));
  }
  return out;
}

/** A curly quote is mended together with the one that closes its text. */
function pairFix(source: SourceFile, { start, end }: Range, twin: string | undefined): Fix | undefined {
  if (twin !== '"' && twin !== "'") return undefined;
  const rest = /^[^\n]*/.exec(source.text.slice(end))![0];
  const closing = [...rest].findIndex((character) => twinOf(character) === twin);
  const inside = [...rest].slice(0, closing).join('');
  if (closing === -1 || inside.includes(twin)) return undefined;
  const at = end + inside.length;
  const both = [
    { start, end },
    { start: at, end: at + 1 },
  ];
  return { edits: both.map((range) => ({ span: spanOf(source, range), text: twin })) };
}

function unclosedStrings(source: SourceFile, tokens: readonly IToken[]): Diagnostic[] {
  const out: Diagnostic[] = [];
  for (const { tokenType, image, startOffset } of tokens) {
    if (tokenType.name !== 'UnclosedText' && tokenType.name !== 'UnclosedBlock') continue;
    const quote = tokenType.name === 'UnclosedBlock' ? '"""' : image.charAt(0);
    const range = { start: startOffset, end: startOffset + quote.length };
    if (out.push(diagnose('unclosed-string', { quote }, { span: spanOf(source, range) })) > maxErrors) break;
  }
  return out;
}

function mixedNames(source: SourceFile, tokens: readonly IToken[]): Diagnostic[] {
  const out: Diagnostic[] = [];
  const told = new Set<string>();
  for (const { tokenType, image, startOffset } of tokens) {
    if (tokenType.name !== 'Identifier' || told.has(image)) continue;
    told.add(image);
    const letters = lookAlikes(image);
    if (letters.length === 0) continue;
    const span = spanOf(source, { start: startOffset, end: startOffset + image.length });
    if (
      out.push(diagnose('mixed-script', { name: image, letters, latin: skeleton(image) }, { span })) >
      maxErrors
    )
      break;
  }
  return out;
}

/** The parser is recursive; so deep a text is refused before it gets there. */
function tooDeep(source: SourceFile, tokens: readonly IToken[]): Diagnostic | undefined {
  let depth = 0;
  for (const { tokenType, startOffset } of tokens) {
    if (tokenType.name === 'LeftParen' || tokenType.name === 'LeftBracket') depth++;
    else if (tokenType.name === 'RightParen' || tokenType.name === 'RightBracket')
      depth = Math.max(0, depth - 1);
    if (depth > maxDepth) {
      return diagnose(
        'too-deep',
        { most: maxDepth },
        { span: spanOf(source, { start: startOffset, end: startOffset + 1 }) },
      );
    }
  }
  return undefined;
}

/** One word per line: place, kind, text. */
const printTokens = ({ source, tokens }: Tokens): string =>
  tokens
    .map(({ tokenType, image, startOffset }) => {
      const { line, column } = spanOf(source, { start: startOffset, end: startOffset });
      return `${line}:${column} ${tokenType.name} ${JSON.stringify(image)}\n`;
    })
    .join('');

export const lexing: Pass<SourceFile, Tokens> = {
  name: 'lex',
  ensures: 'every character is part of a word, a comment or a reported mistake',
  run: lex,
  print: printTokens,
};
