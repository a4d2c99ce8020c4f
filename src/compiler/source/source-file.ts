import type { Range, Span } from './span.ts';

/** One text of `.ftp`, decoded. `path` is what diagnostics print and what imports are relative to. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A pipeline is written by hand; beyond this it is something else by mistake. In UTF-16 units. */
export const maxSourceLength = 1_000_000;

/** `undefined` where the bytes are not UTF-8. A byte order mark is dropped. */
export function decodeSource(path: string, bytes: Uint8Array): SourceFile | undefined {
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return undefined;
  }
}

/** Where bytes stop being UTF-8: the place of the first one that is not, and whether they look like UTF-16. */
export function undecodable(
  path: string,
  bytes: Uint8Array,
): { readonly span: Span; readonly utf16: boolean } {
  let [good, bad] = [0, bytes.length];
  // The longest beginning that decodes: a character cut at its end is no fault of it.
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  const text = new TextDecoder().decode(bytes.subarray(0, good), { stream: true });
  const span = spanOf({ path, text }, { start: text.length, end: text.length });
  const mark = (bytes[0]! << 8) | bytes[1]!;
  return { span, utf16: mark === 0xfffe || mark === 0xfeff };
}

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

interface LineIndex {
  /** Offset of the first unit of each line. */
  readonly starts: readonly number[];
  /** Offsets of all second halves of surrogate pairs, ascending. */
  readonly halves: readonly number[];
}

const indexes = new WeakMap<SourceFile, LineIndex>();

function lineIndex(source: SourceFile): LineIndex {
  const known = indexes.get(source);
  if (known !== undefined) return known;
  const starts = [0];
  for (let at = source.text.indexOf('\n'); at !== -1; at = source.text.indexOf('\n', at + 1))
    starts.push(at + 1);
  const halves: number[] = [];
  for (const pair of source.text.matchAll(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)) halves.push(pair.index + 1);
  const made = { starts, halves };
  indexes.set(source, made);
  return made;
}

/** Number of elements that are not above `value`. */
function countUpTo(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function spanOf(source: SourceFile, range: Range): Span {
  const { starts, halves } = lineIndex(source);
  const line = countUpTo(starts, range.start);
  const lineStart = starts[line - 1] ?? 0;
  const halvesInLine =
    halves.length === 0 ? 0 : countUpTo(halves, range.start - 1) - countUpTo(halves, lineStart - 1);
  return {
    file: source.path,
    start: range.start,
    end: Math.max(range.end, range.start),
    line,
    column: range.start - lineStart - halvesInLine + 1,
  };
}

/** The line without its line break; empty where there is none. */
export function lineText(source: SourceFile, line: number): string {
  const { starts } = lineIndex(source);
  const start = starts[line - 1];
  if (start === undefined) return '';
  return source.text.slice(start, (starts[line] ?? source.text.length + 1) - 1).replace(/\r$/, '');
}

export function lineStart(source: SourceFile, line: number): number {
  return lineIndex(source).starts[line - 1] ?? source.text.length;
}

/** 1-based line of an offset. */
export function lineOf(source: SourceFile, offset: number): number {
  return countUpTo(lineIndex(source).starts, offset);
}
