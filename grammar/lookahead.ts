/** What the rules look ahead for, where the next word alone does not decide. */
import type { TokenType } from 'chevrotain';
import { chevrotain } from './chevrotain.ts';
import * as t from './tokens.ts';

const { CstParser, EOF, tokenMatcher } = chevrotain;

/** After so many syntax errors the rest is left unread. */
const mostErrors = 100;

export class LookaheadParser extends CstParser {
  /** So many errors that reading on tells nobody anything; each one is dear. */
  protected isLost(): boolean {
    return this.errors.length > mostErrors;
  }

  /** An item that is first on its line: so an unclosed bracket does not swallow what follows. */
  protected startsItem(): boolean {
    const endOfLast = this.LA(0).endLine;
    const isFirst = endOfLast === undefined || !(endOfLast >= (this.LA(1).startLine ?? 0));
    return isFirst && this.looksLikeItem();
  }

  /** An item keyword with a name behind it. */
  protected looksLikeItem(): boolean {
    const { tokenType } = this.LA(1);
    if (!t.itemKeywords.includes(tokenType)) return false;
    return tokenType === t.Use ? this.isA(2, t.Text) || this.isA(2, t.RawText) : this.isA(2, t.Identifier);
  }

  /** A comma continues a list unless a key, a condition or a closing bracket follows it. */
  protected commaContinues(): boolean {
    if (
      this.isA(2, t.RightParen) ||
      this.isA(2, t.Comma) ||
      this.isA(2, t.Semicolon) ||
      this.LA(2).tokenType === EOF
    )
      return false;
    if (this.isA(2, t.RightBrace) || this.isA(2, t.Star)) return false;
    return !this.keyFollows(2) && !this.conditionFollows(2) && !this.pathKeyFollows(2);
  }

  protected keyFollows(at: number): boolean {
    return this.isA(at, t.Identifier) && this.isA(at + 1, t.Equals);
  }

  /** The next setting of a profile: `sft.lr =`. */
  protected pathKeyFollows(at: number): boolean {
    return this.isA(this.afterPath(at), t.Equals);
  }

  protected conditionFollows(at: number): boolean {
    return this.isA(this.afterPath(at), t.Comparison);
  }

  protected afterPath(at: number): number {
    if (!this.isA(at, t.Identifier)) return at;
    let next = at + 1;
    while ((this.isA(next, t.Dot) || this.isA(next, t.Slash)) && this.isA(next + 1, t.Identifier)) next += 2;
    return next;
  }

  protected isA(at: number, type: TokenType): boolean {
    return tokenMatcher(this.LA(at), type);
  }
}
