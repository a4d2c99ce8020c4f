/** SentencePiece's table of replacements: a double array (darts-clone) over UTF-8, then texts that end with a zero byte. */

const MAX_BYTES = 2 ** 24;
/** Longer graphemes are looked up a character at a time. */
const MAX_GRAPHEME_BYTES = 6;

/**
 * Replaces as `spm_precompiled` does: each short grapheme as a whole by the shortest entry that begins it, else each
 * character. `fail` makes the error for a table that is none.
 */
export function precompiledMap(base64: string, fail: (problem: string) => Error): (text: string) => string {
  if (base64.length > 2 * MAX_BYTES) throw fail('is too large');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0) return (text) => text;
  const size = bytes.length < 4 ? -1 : bytes.readUInt32LE(0);
  if (size < 4 || size % 4 !== 0 || size + 4 > bytes.length) throw fail('is no table of replacements');
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const texts = bytes.subarray(4 + size);
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  function replaced(part: string): string | undefined {
    const at = shortestEntry(units, Buffer.from(part));
    if (at === undefined || at >= texts.length) return undefined;
    const end = texts.indexOf(0, at);
    return texts.toString('utf8', at, end < 0 ? texts.length : end);
  }

  const remembered = new Map<string, string>();
  function replace(grapheme: string): string {
    const known = remembered.get(grapheme);
    if (known !== undefined) return known;
    const short = Buffer.byteLength(grapheme) < MAX_GRAPHEME_BYTES;
    const whole = short ? replaced(grapheme) : undefined;
    const made = whole ?? Array.from(grapheme, (character) => replaced(character) ?? character).join('');
    if (remembered.size > 10_000) remembered.clear();
    remembered.set(grapheme, made);
    return made;
  }

  return (text) => Array.from(graphemes.segment(text), ({ segment }) => replace(segment)).join('');
}

/** The value of the shortest key that `key` begins with. */
function shortestEntry(units: Uint32Array, key: Uint8Array): number | undefined {
  const unitAt = (at: number) => units[at] ?? 0;
  let at = offsetOf(unitAt(0));
  for (const byte of key) {
    if (byte === 0) return undefined;
    at ^= byte;
    const unit = unitAt(at);
    if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
    at ^= offsetOf(unit);
    if ((unit >>> 8) & 1) return unitAt(at) & 0x7fffffff;
  }
  return undefined;
}

const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
