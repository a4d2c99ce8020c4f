/** What two answers have in common at their start: the prompt that is not written apart. */
import type { Message } from '../messages.ts';

/** How many turns are the same; both go on after them. */
export function sharedTurns(chosen: readonly Message[], rejected: readonly Message[]): number {
  const most = Math.min(chosen.length, rejected.length) - 1;
  let shared = 0;
  while (shared < most && same(chosen[shared]!, rejected[shared]!)) shared++;
  return shared;
}

const same = (a: Message, b: Message) => a.role === b.role && a.content === b.content;

/** Where an answer begins in text with marked turns, as in hh-rlhf. */
const mark = /\n\n(?:Assistant|AI|Bot|Response):/g;
const letter = /[\p{L}\p{N}\p{M}]/u;
/** Of scripts that put no spaces between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const isWordPart = (character = '') => letter.test(character) && !unspaced.test(character);

/**
 * Length of the prompt that two texts begin with: up to the last mark of a turn where there is one, else up to where they
 * part, but not within a word or a character, and with the spaces before a word left to the answers (as TRL does).
 */
export function sharedText(chosen: string, rejected: string): number {
  const most = Math.min(chosen.length, rejected.length);
  let shared = 0;
  while (shared < most && chosen[shared] === rejected[shared]) shared++;
  const marks = [...chosen.slice(0, shared).matchAll(mark)];
  const last = marks.at(-1);
  if (last !== undefined) return last.index + last[0].length;
  const within = (text: string) => {
    const [before, after] = [text.slice(0, shared), text.slice(shared)];
    if (/[\uD800-\uDBFF]$/.test(before)) return true;
    return isWordPart([...before.slice(-2)].at(-1)) && isWordPart([...after.slice(0, 2)][0]);
  };
  while (shared > 0 && (within(chosen) || within(rejected))) shared--;
  while (shared > 0 && chosen[shared - 1] === ' ') shared--;
  return shared;
}
