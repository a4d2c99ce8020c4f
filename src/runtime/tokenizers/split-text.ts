/** How a text is cut at matches: the behaviours of the Rust library `tokenizers`. */
export const behaviors = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] as const;
export type Behavior = (typeof behaviors)[number];

interface Piece {
  text: string;
  readonly matched: boolean;
}

/** The pieces of a text, none of them empty. `invert`: the matches are what lies between. */
export function splitText(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const covering = behavior === 'Isolated' ? covered(text, pattern) : undefined;
  if (covering !== undefined) return covering;
  const pieces = segments(text, pattern, invert);
  return joined(pieces, behavior).filter(notEmpty);
}

/** The usual case, without looking at each match: they cover the text. */
function covered(text: string, pattern: RegExp): string[] | undefined {
  const matches = text.match(pattern);
  if (matches === null) return text === '' ? [] : [text];
  let units = 0;
  let isEmpty = false;
  for (const { length } of matches) {
    units += length;
    isEmpty ||= length === 0;
  }
  return units === text.length && !isEmpty ? matches : undefined;
}

const notEmpty = (piece: string) => piece !== '';

function segments(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), matched: invert });
    pieces.push({ text: match[0], matched: !invert });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), matched: invert });
  return pieces;
}

function joined(pieces: readonly Piece[], behavior: Behavior): string[] {
  switch (behavior) {
    case 'Isolated':
      return pieces.map((piece) => piece.text);
    case 'Removed':
      return pieces.filter((piece) => !piece.matched).map((piece) => piece.text);
    case 'Contiguous':
      return merged(pieces, (piece, before) => piece.matched === before.matched, false);
    case 'MergedWithPrevious':
      return merged(pieces, (piece, before) => piece.matched && !before.matched, false);
    case 'MergedWithNext':
      return merged(
        [...pieces].reverse(),
        (piece, before) => piece.matched && !before.matched,
        true,
      ).reverse();
  }
}

/** Pieces one after the other, each joined to the one before it where `joins` says so of the two as they were. */
function merged(
  pieces: readonly Piece[],
  joins: (piece: Piece, before: Piece) => boolean,
  inFront: boolean,
): string[] {
  const made: string[] = [];
  pieces.forEach((piece, i) => {
    const before = pieces[i - 1];
    if (before === undefined || !joins(piece, before)) made.push(piece.text);
    else made.push(inFront ? piece.text + made.pop()! : made.pop()! + piece.text);
  });
  return made;
}
