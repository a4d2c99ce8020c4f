import { Numbers } from './numbers.ts';
import type { Sequences } from './stored-sequences.ts';
import type { TokenizedText } from './text-course.ts';

/** Tokens that are looked at together. */
const PIECE = 2 ** 16;

/**
 * One sequence a document, all of whose tokens are learned; a document longer than the context makes several, each of which
 * begins with the last token of the one before it, so that no token goes unpredicted. They are read where the text lies.
 */
export function documentSequences({ tokens, end }: TokenizedText, context: number): Sequences {
  const starts = new Numbers(Float64Array);
  const lengths = new Numbers(Int32Array);
  let start = 0;
  for (let first = 0; first < tokens.length; first += PIECE) {
    const piece = tokens.subarray(first, first + PIECE);
    for (const [at, token] of piece.entries()) {
      const i = first + at;
      const ends = token === end || i === tokens.length - 1;
      const length = i + 1 - start;
      if (!ends && length < context) continue;
      if (length > 1) {
        starts.push(start);
        lengths.push(length);
      }
      start = ends ? i + 1 : i;
    }
  }
  const places = starts.all;
  const sizes = lengths.all;
  return {
    lengths: sizes,
    learned: sizes.map((length) => length - 1),
    read(number) {
      const from = places[number]!;
      const ids = tokens.subarray(from, from + sizes[number]!);
      return { ids, supervised: new Uint8Array(ids.length).fill(1) };
    },
  };
}
