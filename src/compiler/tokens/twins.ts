/** ASCII spellings of characters that keyboards and word processors put in their place. */
const twins: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '“': '"',
    '”': '"',
    '„': '"',
    '＂': '"',
    '‘': "'",
    '’': "'",
    '＇': "'",
    '、': ',',
    '。': '.',
    '．': '.',
    '［': '[',
    '］': ']',
    '【': '[',
    '】': ']',
    '｛': '{',
    '｝': '}',
    '＞': '>',
    '＜': '<',
    '≥': '>=',
    '≤': '<=',
    '≠': '!=',
    '－': '-',
    '＄': '$',
    '＃': '#',
    '＊': '*',
    '／': '/',
    '％': '%',
    '⇒': '→',
    '⟶': '→',
    '➔': '→',
    '➜': '→',
    '➡': '→',
    '|': '→',
  }),
);

/** The character of the language that was probably meant. */
export function twinOf(character: string): string | undefined {
  const known = twins.get(character);
  if (known !== undefined) return known;
  const folded = character.normalize('NFKC');
  return folded !== character && /^[\w.%-]+$/.test(folded) ? folded : undefined;
}
