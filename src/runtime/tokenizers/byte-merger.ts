import { byteAlphabet } from './byte-alphabet.ts';
import type { TokenizerJson } from './tokenizer-files.ts';

/** Longer pieces are left to the package, whose heap does not slow down with the square of their length. */
const MAX_BYTES = 1024;
const NEVER = 2 ** 31 - 1;

/**
 * The merges of a byte-level BPE model over ids: always the pair that was learned first, the leftmost of equals. Same
 * ids as the package's `BPE`, several times faster on the short pieces that text is made of.
 * Undefined where the model needs anything else; the returned function gives undefined for a piece too long for it.
 */
export function byteMerger(
  model: TokenizerJson['model'],
  vocabulary: ReadonlyMap<string, number>,
): ((bytes: Uint8Array) => number[] | undefined) | undefined {
  const byteIds = byteAlphabet.map((character) => vocabulary.get(character));
  const plain = !model.end_of_word_suffix && !model.continuing_subword_suffix && !model.ignore_merges;
  if (!plain || byteIds.includes(undefined)) return undefined;
  const ranks = new Map<number, number>();
  const made: number[] = [];
  for (const merge of model.merges as readonly (string | readonly [string, string])[]) {
    const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : merge;
    const [a, b, c] = [left!, right!, left! + right!].map((token) => vocabulary.get(token));
    if (a === undefined || b === undefined || c === undefined) return undefined;
    // A pair listed twice counts at its last place, as in the package.
    ranks.set(a * 2 ** 24 + b, made.length);
    made.push(c);
  }
  const rankOf = (a: number, b: number) => ranks.get(a * 2 ** 24 + b) ?? NEVER;

  return (bytes) => {
    if (bytes.length > MAX_BYTES) return undefined;
    const ids = Array.from(bytes, (byte) => byteIds[byte]!);
    const rank = ids.map((id, i) => (i + 1 < ids.length ? rankOf(id, ids[i + 1]!) : NEVER));
    for (;;) {
      let best = NEVER;
      let at = -1;
      for (let i = 0; i < rank.length; i++) {
        if (rank[i]! < best) {
          best = rank[i]!;
          at = i;
        }
      }
      if (at < 0) return ids;
      ids[at] = made[best]!;
      ids.splice(at + 1, 1);
      rank.splice(at + 1, 1);
      rank[at] = at + 1 < ids.length ? rankOf(ids[at]!, ids[at + 1]!) : NEVER;
      if (at > 0) rank[at - 1] = rankOf(ids[at - 1]!, ids[at]!);
    }
  };
}
