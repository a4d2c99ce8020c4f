/** The whole way from text to ids: added tokens, normalizer, pre-tokenizer, model. */
import { addedTokenSplitter, type Section, type SoughtToken } from './added-tokens.ts';
import type { Normalizer } from './normalizers.ts';
import { compilePreTokenizer, type Place } from './pre-tokenizers.ts';
import type { TokenModel } from './token-model.ts';

/** Pieces remembered before the memory of them is dropped; a piece costs about 150 bytes. */
const MAX_REMEMBERED = 200_000;
/** Longer pieces hardly come back. */
const MAX_REMEMBERED_UNITS = 64;

/**
 * Gives the same ids as the Rust library `tokenizers`. The ids of each pre-token are remembered: words repeat.
 * `continues`: text stands before this one, so that no space or mark is put in front.
 * @throws TokenizerError
 */
export function textEncoder(
  preTokenizer: unknown,
  normalize: Normalizer | undefined,
  sought: readonly SoughtToken[],
  model: TokenModel,
): (text: string, continues: boolean) => Int32Array {
  const pieces = compilePreTokenizer(preTokenizer);
  const asWritten = addedTokenSplitter(sought.filter(({ normalized }) => !normalized));
  const afterwards = addedTokenSplitter(sought.filter(({ normalized }) => normalized));
  const encodePiece = remembering((piece) => model.encode(pieces?.spell?.(piece) ?? piece));
  const whole = (text: string): Section[] => (text === '' ? [] : [{ text, start: 0 }]);

  return (text, continues) => {
    const ids: number[] = [];
    const encodePart = (part: string, place: Place) => {
      for (const piece of pieces?.cut?.(part, place) ?? [part])
        for (const id of encodePiece(piece)) ids.push(id);
    };
    for (const outer of (asWritten ?? whole)(text)) {
      if ('id' in outer) ids.push(outer.id);
      else {
        const goesOn = continues && outer.start === 0;
        const normal = normalize === undefined ? outer.text : normalize(outer.text, goesOn);
        for (const section of (afterwards ?? whole)(normal)) {
          if ('id' in section) ids.push(section.id);
          else
            encodePart(section.text, {
              first: outer.start === 0 && section.start === 0,
              continues: goesOn && section.start === 0,
            });
        }
      }
    }
    return Int32Array.from(ids);
  };
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
