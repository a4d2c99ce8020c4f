import { byteFallback } from './byte-fallback.ts';
import { type Component, flagIn, unusable } from './component.ts';
import type { TokenModel } from './token-model.ts';
import { TokenTrie } from './token-trie.ts';
import type { Vocabulary } from './vocabulary.ts';

/** An unknown character costs this much more than the rarest token. */
const UNKNOWN_PENALTY = 10;

/**
 * Unigram: the cut of a piece into tokens whose scores add up to most. Unknown characters that stand together become one
 * unknown token, or the bytes of them all where there is byte fallback.
 * @see https://arxiv.org/abs/1804.10959
 * @throws TokenizerError
 */
export function unigramModel(component: Component, { ids, scores }: Vocabulary): TokenModel['encode'] {
  const unknown = component.fields.unk_id ?? undefined;
  if (unknown !== undefined && !(Number.isInteger(unknown) && (unknown as number) in scores))
    throw unusable(`${component.path}.unk_id`, 'is no id of the vocabulary');
  const bytes = flagIn(component, 'byte_fallback', false) ? byteFallback(ids) : undefined;
  const unknownScore = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
  const trie = new TokenTrie();
  for (const [token, id] of ids) if (token !== '') trie.add(token, id);

  function idsOf(text: string): readonly number[] {
    const id = ids.get(text);
    if (id !== undefined) return [id];
    const fallback = bytes?.(text);
    if (fallback !== undefined) return fallback;
    if (unknown === undefined)
      throw unusable(component.path, `has no token for ${JSON.stringify(text)} and no unknown token`);
    return [unknown as number];
  }

  return (piece) => {
    const path = bestPath(piece, trie, scores, unknownScore);
    const made: number[] = [];
    for (const { start, end } of joinUnknown(path)) made.push(...idsOf(piece.slice(start, end)));
    return made;
  };
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly unknown: boolean;
}

function bestPath(piece: string, trie: TokenTrie, scores: readonly number[], unknownScore: number): Part[] {
  const best = new Float64Array(piece.length + 1);
  const from = new Int32Array(piece.length + 1).fill(-1);
  const unknown = new Uint8Array(piece.length + 1);
  const offer = (start: number, end: number, score: number, isUnknown: number) => {
    const total = best[start]! + score;
    if (from[end] !== -1 && total <= best[end]!) return;
    best[end] = total;
    from[end] = start;
    unknown[end] = isUnknown;
  };
  for (let start = 0; start < piece.length; ) {
    const width = piece.codePointAt(start)! > 0xffff ? 2 : 1;
    let single = false;
    const here = start;
    trie.each(piece, start, (end, id) => {
      offer(here, end, scores[id]!, 0);
      if (end === here + width) single = true;
    });
    if (!single) offer(start, start + width, unknownScore, 1);
    start += width;
  }
  const parts: Part[] = [];
  for (let end = piece.length; end > 0; end = from[end]!)
    parts.push({ start: from[end]!, end, unknown: unknown[end] === 1 });
  return parts.reverse();
}

function joinUnknown(parts: readonly Part[]): Part[] {
  const made: Part[] = [];
  for (const part of parts) {
    const last = made.at(-1);
    if (part.unknown && last?.unknown === true) made[made.length - 1] = { ...last, end: part.end };
    else made.push(part);
  }
  return made;
}
