/** White space by Unicode's property, as Rust has it: JavaScript's `trim` and `\s` also take U+FEFF, and leave U+0085. */
const LEFT = /^\p{White_Space}+/u;

export const trimStart = (text: string): string => text.replace(LEFT, '');

export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isWhiteSpace(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Of one character; all of them are single UTF-16 units. */
export const isWhiteSpace = (character: string): boolean => /^\p{White_Space}$/u.test(character);
