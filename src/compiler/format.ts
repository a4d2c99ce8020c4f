/** `ftc fmt`: one layout for every file. Line breaks are the author's; spaces, indentation and spelling are not. */
import { type Diagnostic, hasErrors } from './diagnostics/diagnostic.ts';
import type { SourceFile } from './source/source-file.ts';
import { layoutPieces, type Piece } from './syntax/layout-pieces.ts';
import { parse } from './syntax/parse.ts';
import { tokenRoles } from './syntax/token-roles.ts';
import { lex } from './tokens/lex.ts';

export interface Formatted {
  /** Absent where the file has syntax errors: it stays as it is. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Drops commas between arguments, writes full-width punctuation and `->` in their usual form, indents by two; comments
 * stay. Formatting twice is formatting once, and the syntax tree stays the same.
 */
export function format(source: SourceFile): Formatted {
  const { tokens, concrete, diagnostics } = parse(lex(source));
  if (hasErrors(diagnostics) || concrete === undefined) return { diagnostics };
  const pieces = layoutPieces(tokens.tokens, tokens.comments, tokenRoles(concrete));
  return { text: layOut(pieces), diagnostics };
}

interface Bracket {
  readonly kind: string;
  /** Indentation of the line that opens it. */
  readonly indent: number;
}

function layOut(pieces: readonly Piece[]): string {
  const open: Bracket[] = [];
  let out = '';
  let indent = 0;
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1];
    const breaks = breaksBefore(piece, before, open.at(-1));
    if (before !== undefined && breaks === 0) out += spaceBetween(before, piece, open.at(-1)) ? ' ' : '';
    else {
      indent = indentOf(piece, pieces, index, open);
      out += '\n'.repeat(before === undefined ? 0 : breaks) + ' '.repeat(indent);
    }
    out += piece.text;
    if (isOpener(piece)) open.push({ kind: piece.kind, indent });
    else if (isCloser(piece)) open.pop();
  }
  return out === '' ? '' : `${out}\n`;
}

const isOpener = ({ kind }: Piece): boolean =>
  kind === 'LeftParen' || kind === 'LeftBracket' || kind === 'LeftBrace';
const isCloser = ({ kind }: Piece): boolean =>
  kind === 'RightParen' || kind === 'RightBracket' || kind === 'RightBrace';

/** These never begin a line, and nothing breaks behind the others. */
const joinedToWhatIsBefore = /^(LeftParen|LeftBrace|Comma|Semicolon|Colon|Equals|Dot|Slash|Comparison|As)$/;
const joinedToWhatFollows = /^(Dot|Slash|Colon|Comparison|As|Arrow)$/;
const keyword = /^(Use|Let|Param|Data|Model|Template|Stage|Pipeline|Profile)$/;

function breaksBefore(piece: Piece, before: Piece | undefined, bracket: Bracket | undefined): number {
  if (before === undefined) return 0;
  if (before.kind === 'Comment') return Math.max(1, isCloser(piece) ? 1 : piece.breaks);
  if (piece.startsItem) return Math.max(1, piece.breaks);
  if (piece.kind === 'Comment') return isOpener(before) ? Math.min(1, piece.breaks) : piece.breaks;
  if (joinedToWhatIsBefore.test(piece.kind) || joinedToWhatFollows.test(before.kind)) return 0;
  if (before.startsItem && keyword.test(before.kind)) return 0;
  if (before.kind === 'Equals' && bracket !== undefined) return 0;
  return isOpener(before) || isCloser(piece) ? Math.min(1, piece.breaks) : piece.breaks;
}

function indentOf(piece: Piece, pieces: readonly Piece[], index: number, open: readonly Bracket[]): number {
  const bracket = open.at(-1);
  if (bracket !== undefined) return bracket.indent + (isCloser(piece) ? 0 : 2);
  if (piece.kind !== 'Comment') return piece.startsItem ? 0 : 2;
  // A comment belongs to what follows it.
  let next = index;
  while (pieces[next]?.kind === 'Comment') next++;
  const following = pieces[next];
  return following === undefined || following.startsItem ? 0 : 2;
}

function spaceBetween(before: Piece, piece: Piece, bracket: Bracket | undefined): boolean {
  if (piece.kind === 'Comment') return true;
  if (/^(LeftParen|LeftBracket|Dot|Slash)$/.test(before.kind)) return false;
  if (/^(RightParen|RightBracket|Comma|Semicolon|Colon|Dot|Slash|LeftParen)$/.test(piece.kind)) return false;
  if (before.kind === 'Comma') return bracket?.kind === 'LeftBracket';
  if (before.kind === 'Equals' || piece.kind === 'Equals') return bracket?.kind !== 'LeftParen';
  return true;
}
