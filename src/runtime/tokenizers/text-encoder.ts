/** The whole way from text to ids: added tokens, normalizer, pre-tokenizer, model. */
import { addedTokenSplitter, type Section, type SoughtToken } from './added-tokens.ts';
import type { Normalizer } from './normalizers.ts';
import { compilePreTokenizer, type Place } from './pre-tokenizers.ts';
import type { TokenModel } from './token-model.ts';

/** Pieces remembered before the memory of them is dropped; a piece costs about 150 bytes. */
const MAX_REMEMBERED = 200_000;
/** Longer pieces hardly come back. */
const MAX_REMEMBERED_UNITS = 64;

/** Ids of each piece of one text; `continues`: more text stands before it. */
export type Encode = (pieces: readonly string[], continues: boolean) => Int32Array[];

/**
 * Gives the same ids as the Rust library `tokenizers`, but that no token crosses from a piece to the next. The ids of each
 * pre-token are remembered: words repeat. Where text stands before, no space or mark is put in front.
 * @throws TokenizerError
 */
export function textEncoder(
  preTokenizer: unknown,
  normalize: Normalizer | undefined,
  sought: readonly SoughtToken[],
  model: TokenModel,
): Encode {
  const pieces = compilePreTokenizer(preTokenizer);
  const asWritten = addedTokenSplitter(sought.filter(({ normalized }) => !normalized));
  const afterwards = addedTokenSplitter(sought.filter(({ normalized }) => normalized));
  const encodePiece = remembering((piece) => model.encode(pieces?.spell?.(piece) ?? piece));
  const whole = (text: string): Section[] => (text === '' ? [] : [{ text, start: 0 }]);

  const encodePart = (text: string, place: Place, ids: number[]) => {
    const normal = normalize === undefined ? text : normalize(text, place.continues);
    for (const section of (afterwards ?? whole)(normal)) {
      if ('id' in section) ids.push(section.id);
      else {
        const first = place.first && section.start === 0;
        const continues = place.continues && section.start === 0;
        for (const piece of pieces?.cut?.(section.text, { first, continues }) ?? [section.text])
          for (const id of encodePiece(piece)) ids.push(id);
      }
    }
  };

  return (given, continues) => {
    const ids: number[][] = given.map(() => []);
    const ends = endsOf(given);
    let piece = 0;
    for (const section of (asWritten ?? whole)(given.length === 1 ? given[0]! : given.join(''))) {
      while (section.start >= ends[piece]!) piece++;
      if ('id' in section) {
        ids[piece]!.push(section.id);
        continue;
      }
      const { text, start } = section;
      for (let at = 0; at < text.length; ) {
        const place = { first: start + at === 0, continues: at > 0 || (continues && start === 0) };
        const stop = Math.min(text.length, ends[piece]! - start);
        if (stop > at) encodePart(text.slice(at, stop), place, ids[piece]!);
        at = stop;
        if (at < text.length) piece++;
      }
    }
    return ids.map((part) => Int32Array.from(part));
  };
}

/** Where each piece ends in the whole text; the last one, nowhere. */
function endsOf(pieces: readonly string[]): number[] {
  let end = 0;
  return pieces.map(({ length }, i) => (i === pieces.length - 1 ? Infinity : (end += length)));
}

function remembering(encode: (piece: string) => readonly number[]): (piece: string) => readonly number[] {
  const remembered = new Map<string, readonly number[]>();
  return (piece) => {
    const known = remembered.get(piece);
    if (known !== undefined) return known;
    const ids = encode(piece);
    if (piece.length <= MAX_REMEMBERED_UNITS) {
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      // A copy: the piece is a view that would keep the whole text in memory.
      remembered.set(Buffer.from(piece, 'utf16le').toString('utf16le'), ids);
    }
    return ids;
  };
}
