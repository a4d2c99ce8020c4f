/** Python's `str.strip` for templates. */
import type { Statement } from './jinja.ts';

type Sides = 'both' | 'left' | 'right';

const METHODS: ReadonlyMap<unknown, Sides> = new Map([
  ['strip', 'both'],
  ['lstrip', 'left'],
  ['rstrip', 'right'],
]);

/** What `str.isspace` says yes to: JavaScript's `trim` takes U+FEFF too, and leaves U+001C to U+001F and U+0085. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A text that is stripped: what is written before `.strip` or `| trim`, and the characters named there. */
export interface Stripping {
  readonly on: Statement;
  readonly sides: Sides;
  readonly characters: Statement | undefined;
}

/** Undefined where the expression strips nothing. */
export function strippingIn({ type, callee, args, operand, filter }: Statement): Stripping | undefined {
  if (type === 'FilterExpression') {
    const name = filter?.type === 'CallExpression' ? filter.callee : filter;
    if (name?.value !== 'trim') return undefined;
    return { on: operand!, sides: 'both', characters: filter?.args?.[0] };
  }
  if (type !== 'CallExpression' || callee?.type !== 'MemberExpression' || callee.computed) return undefined;
  const sides = METHODS.get(callee.property?.value);
  return sides && { on: callee.object!, sides, characters: args?.[0] };
}

/** `characters`: a text of them, or nothing for white space. */
export function stripped(text: string, sides: Sides, characters: unknown): string {
  const named = typeof characters === 'string' ? new Set(characters) : undefined;
  const goes = (c: string) => (named === undefined ? SPACE.test(c) : named.has(c));
  const all = Array.from(text);
  let [start, end] = [0, all.length];
  if (sides !== 'right') while (start < end && goes(all[start]!)) start++;
  if (sides !== 'left') while (end > start && goes(all[end - 1]!)) end--;
  return all.slice(start, end).join('');
}
