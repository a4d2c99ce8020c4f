/** The words of a file in the spelling of the formatter, each with the line breaks that stood before it. */
import type { IToken } from 'chevrotain';
import { itemKeywords } from '../../../grammar/tokens.ts';
import type { TokenRoles } from './token-roles.ts';

export interface Piece {
  readonly kind: string;
  readonly text: string;
  /** Line breaks before it: 0, 1, or 2 for an empty line. */
  breaks: number;
  readonly startsItem: boolean;
}

const spellings: Readonly<Record<string, string>> = {
  Arrow: '→',
  Equals: '=',
  LeftParen: '(',
  RightParen: ')',
  Comma: ',',
  Semicolon: ';',
  Colon: ':',
};

function spell({ tokenType, image }: IToken): string {
  const fixed = spellings[tokenType.name];
  if (fixed !== undefined) return fixed;
  if (tokenType.name === 'Comment') return image.trimEnd();
  if (tokenType.name === 'Quantity') return image.replace(/[ \t]+/, ' ').replace('％', '%');
  return /^(Identifier|Variable)$/.test(tokenType.name) ? image.normalize('NFC') : image;
}

const unit = /^(?:epochs?|steps?|tokens?|rows?|seconds?|minutes?|hours?|days?)$/;

export function layoutPieces(
  tokens: readonly IToken[],
  comments: readonly IToken[],
  roles: TokenRoles,
): Piece[] {
  const all = [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset);
  const pieces: Piece[] = [];
  let line = 1;
  let carried = 0;
  for (const [index, token] of all.entries()) {
    const breaks = Math.max(carried, Math.min(2, token.startLine! - line));
    line = token.endLine!;
    // What is left out hands its line break on.
    if (roles.idle.has(token.startOffset) && !wouldStartItem(all[index - 2], all[index - 1])) {
      carried = breaks;
      continue;
    }
    carried = 0;
    const { startOffset, tokenType } = token;
    const startsItem = roles.itemStarts.has(startOffset);
    const apart = wouldMerge(pieces.at(-1), token, all[index + 1]) ? Math.max(1, breaks) : breaks;
    pieces.push({ kind: tokenType.name, text: spell(token), breaks: apart, startsItem });
    if (roles.listGaps.has(token.endOffset! + 1))
      pieces.push({ kind: 'Comma', text: ',', breaks: 0, startsItem: false });
  }
  return arrowsFirst(pieces);
}

/** On one line `3` and `epochs` would become one quantity; where they are two words, something kept them apart. */
const wouldMerge = (before: Piece | undefined, { image }: IToken, after: IToken | undefined): boolean =>
  before?.kind === 'Quantity' &&
  unit.test(image) &&
  !/^(Equals|LeftParen|Colon|Dot)$/.test(after?.tokenType.name ?? '');

/** Without its comma `data, x` at the beginning of a line would become an item. */
function wouldStartItem(value: IToken | undefined, word: IToken | undefined): boolean {
  return word !== undefined && itemKeywords.includes(word.tokenType) && value?.tokenType.name !== 'Equals';
}

/** An arrow begins the line of the step behind it. */
function arrowsFirst(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]!;
    if (piece.kind !== 'Arrow') {
      out.push(piece);
      continue;
    }
    let next = index + 1;
    while (pieces[next]?.kind === 'Comment') next++;
    const comments = pieces.slice(index + 1, next);
    const step = pieces[next];
    if (comments.length > 0) comments[0]!.breaks = Math.max(comments[0]!.breaks, piece.breaks);
    const breaks = comments.length > 0 ? 1 : Math.max(piece.breaks, step?.breaks ?? 0);
    if (step !== undefined) step.breaks = 0;
    out.push(...comments, { ...piece, breaks });
    index = next - 1;
  }
  return out;
}
