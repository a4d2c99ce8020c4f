/** Merges in an order, and scores of the tokens that they make: SentencePiece's two ways of saying the same. */
import { TokenType } from './token-types.ts';

export type Pair = readonly [string, string];

/** A token's score is minus the place of the first merge that makes it; one that no merge makes is never merged into. */
export function scoresOfMerges(tokens: readonly string[], merges: readonly Pair[]): number[] {
  const first = new Map<string, number>();
  merges.forEach(([left, right], place) => {
    if (!first.has(left + right)) first.set(left + right, place);
  });
  return tokens.map((token) => -(first.get(token) ?? merges.length));
}

/** Every pair of tokens that make a token together, best score first; of equal scores the shorter left half. */
export function mergesOfScores(
  tokens: readonly string[],
  types: readonly number[],
  scores: readonly number[],
): Pair[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const mergeable = (id: number | undefined) => id !== undefined && types[id] === TokenType.normal;
  const order = tokens.map((_, id) => id).filter(mergeable);
  order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return order.flatMap((id) => {
    const letters = [...tokens[id]!];
    return letters.slice(1).flatMap((_, i): Pair[] => {
      const left = letters.slice(0, i + 1).join('');
      const right = letters.slice(i + 1).join('');
      return mergeable(ids.get(left)) && mergeable(ids.get(right)) ? [[left, right]] : [];
    });
  });
}
