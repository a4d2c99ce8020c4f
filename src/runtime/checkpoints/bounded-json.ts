/** JSON that others wrote: measured before it is parsed, because parsing takes the memory that its depth and length ask for. */

export interface JsonLimits {
  /** Objects and lists inside one another. */
  readonly depth: number;
  /** Elements of all lists and objects together. */
  readonly values: number;
  /** Whether a key that an object has twice is an error; `JSON.parse` keeps the last one silently. */
  readonly uniqueKeys?: boolean;
}

/** Errors: SyntaxError saying what is wrong, in a few words that fit behind the file's name. */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError('is not UTF-8');
  }
  survey(text, limits);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`is not JSON (${(error as Error).message.slice(0, 120)})`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Walks over the text once; whether it is JSON at all is left to the parser. */
function survey(text: string, { depth, values, uniqueKeys = false }: JsonLimits): void {
  const open: Set<string>[] = [];
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (uniqueKeys && text.charCodeAt(afterSpace(text, end + 1)) === COLON)
        addKey(open.at(-1), text.slice(at, end + 1));
      at = end;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      open.push(new Set());
      count++;
      if (open.length > depth) throw new SyntaxError(`has more than ${depth} levels of lists and objects`);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) open.pop();
    else if (code === COMMA) count++;
    if (count > values) throw new SyntaxError(`has more than ${values} values`);
  }
}

function addKey(keys: Set<string> | undefined, literal: string): void {
  const key = literal.includes('\\') ? unescaped(literal) : literal.slice(1, -1);
  if (keys?.has(key)) throw new RepeatedKey(key);
  keys?.add(key);
}

function unescaped(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal; // The parser will say that this is no JSON.
  }
}

/** Index of the quote that ends the string begun at `start`, or the text's length. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** A key that one object has twice. */
export class RepeatedKey extends SyntaxError {
  constructor(readonly key: string) {
    super(`has ${JSON.stringify(key).slice(0, 120)} twice`);
  }
}
