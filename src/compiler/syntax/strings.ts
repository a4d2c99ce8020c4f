/** What is between quotes: escapes, references, indentation. */
import { sameName } from '../source/names.ts';
import type { Range } from '../source/span.ts';
import type { TextPart } from './tree.ts';

const escapes: ReadonlyMap<string, string> = new Map(
  Object.entries({ n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', $: '$' }),
);

export interface StringProblem {
  readonly kind: 'escape' | 'reference';
  readonly text: string;
  readonly range: Range;
}

const piece = /\\u\{([0-9A-Fa-f]{1,6})\}|\\([\s\S])|\$\{([^}"]*)\}?/g;

/** The parts of `"…"`; `at` is the offset of the first character after the quote. */
export function readText(inner: string, at: number): { parts: TextPart[]; problems: StringProblem[] } {
  const parts: TextPart[] = [];
  const problems: StringProblem[] = [];
  let plain = '';
  let done = 0;
  for (const match of inner.matchAll(piece)) {
    plain += inner.slice(done, match.index);
    done = match.index + match[0].length;
    const range = { start: at + match.index, end: at + done };
    const [whole, codePoint, escaped, reference] = match;
    if (reference !== undefined) {
      if (whole.endsWith('}') && isName(reference.trim())) {
        if (plain !== '') parts.push(plain);
        plain = '';
        parts.push({ reference: { text: sameName(reference.trim()), range } });
      } else problems.push({ kind: 'reference', text: whole, range });
      continue;
    }
    const character = codePoint === undefined ? escapes.get(escaped ?? '') : fromCodePoint(codePoint);
    if (character === undefined) problems.push({ kind: 'escape', text: whole, range });
    else plain += character;
  }
  plain += inner.slice(done);
  if (plain !== '' || parts.length === 0) parts.push(plain);
  return { parts, problems };
}

function fromCodePoint(hexadecimal: string): string | undefined {
  const point = Number.parseInt(hexadecimal, 16);
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? undefined : String.fromCodePoint(point);
}

const isName = (text: string): boolean => /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u.test(text);

/**
 * The text between `"""` and `"""`: the line breaks behind the opening and before the closing quotes do not belong to it,
 * nor does the indentation that all its lines share.
 */
export function dedent(inner: string): string {
  const lines = inner.replaceAll('\r\n', '\n').split('\n');
  if (lines.length === 1) return inner;
  if (lines[0]!.trim() === '') lines.shift();
  if (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const shared = indents.length === 0 ? 0 : indents.reduce((least, indent) => Math.min(least, indent));
  return lines.map((line) => (line.trim() === '' ? '' : line.slice(shared))).join('\n');
}

/** `text` between double quotes, with the escapes it needs. */
export function quote(text: string): string {
  const escaped = text
    .replace(/[\\"]|\$(?=\{)/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(/[\u0000-\u001F\u007F\u2028\u2029]/g, (found) => `\\u{${found.charCodeAt(0).toString(16)}}`);
  return `"${escaped}"`;
}
