/** Added tokens: texts that become one token wherever they stand, cut out before anything else looks at the text. */
import type { Normalizer } from './normalizers.ts';
import { TokenTrie } from './token-trie.ts';
import type { AddedToken } from './tokenizer-files.ts';
import { isWhiteSpace } from './white-space.ts';

/** A stretch of text, or the id of an added token in its place; where it stands. */
export type Section =
  | { readonly text: string; readonly start: number }
  | { readonly id: number; readonly start: number };

/** The form in which an added token is looked for. */
export interface SoughtToken {
  readonly text: string;
  readonly token: AddedToken;
  /** In normalized text; else in the text as it is written. */
  readonly normalized: boolean;
}

/** Added tokens in the form in which they are looked for and decoded. */
export function soughtTokens(added: readonly AddedToken[], normalize: Normalizer | undefined): SoughtToken[] {
  return added.map((token) => {
    const normalized = token.normalized ?? token.special !== true;
    const text = normalized && normalize !== undefined ? normalize(token.content, false) : token.content;
    return { text, token, normalized };
  });
}

const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;

/** Cuts a text at added tokens: leftmost, the longest of those that begin at one place. Undefined where there are none. */
export function addedTokenSplitter(
  sought: readonly SoughtToken[],
): ((text: string) => Section[]) | undefined {
  const tokens = sought.filter(({ text }) => text !== '');
  if (tokens.length === 0) return undefined;
  const trie = new TokenTrie();
  tokens.forEach(({ text }, i) => {
    trie.add(text, i);
  });
  const candidates = firstUnits(tokens.map(({ text }) => text));
  return (text) => {
    const sections: Section[] = [];
    let end = 0;
    candidates.lastIndex = 0;
    for (let hit = candidates.exec(text); hit !== null; hit = candidates.exec(text)) {
      let match: { readonly stop: number; readonly token: AddedToken } | undefined;
      trie.each(text, hit.index, (stop, value) => {
        match = { stop, token: tokens[value]!.token };
      });
      if (match === undefined) continue;
      candidates.lastIndex = match.stop;
      const place = placeOf(text, hit.index, match.stop, match.token, end);
      if (place === undefined) continue;
      if (place.start > end) sections.push({ text: text.slice(end, place.start), start: end });
      sections.push({ id: match.token.id, start: place.start });
      end = place.stop;
      candidates.lastIndex = Math.max(candidates.lastIndex, end);
    }
    if (end < text.length) sections.push({ text: text.slice(end), start: end });
    return sections;
  };
}

/** Any unit that a token begins with. */
function firstUnits(texts: readonly string[]): RegExp {
  const units = [...new Set(texts.map((text) => text.charCodeAt(0)))];
  return new RegExp(`[${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}]`, 'g');
}

/** What a token takes of the text: white space beside it where it strips; undefined where it must be a word and is not. */
function placeOf(
  text: string,
  from: number,
  to: number,
  token: AddedToken,
  least: number,
): { readonly start: number; readonly stop: number } | undefined {
  const isWord = (character: string | undefined) => character !== undefined && WORD.test(character);
  if (token.single_word === true) {
    const before = Array.from(text.slice(Math.max(0, from - 2), from)).at(-1);
    const after = Array.from(text.slice(to, to + 2))[0];
    if (isWord(before) || isWord(after)) return undefined;
  }
  let start = from;
  if (token.lstrip === true) while (start > least && isWhiteSpace(text[start - 1]!)) start--;
  let stop = to;
  if (token.rstrip === true) while (stop < text.length && isWhiteSpace(text[stop]!)) stop++;
  return { start, stop };
}
