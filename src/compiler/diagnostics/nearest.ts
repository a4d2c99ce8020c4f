import { sameName, skeleton } from '../source/names.ts';

/**
 * The legal name that was probably meant: smallest Damerau–Levenshtein distance over code points, at most
 * max(length / 3, 1), the first one where several are equally near. A name that only looks the same (letters of
 * another alphabet) is always near.
 */
export function nearest(written: string, legal: Iterable<string>): string | undefined {
  const wanted = [...sameName(written).toLowerCase()];
  if (wanted.length > 64) return undefined;
  const limit = Math.floor(Math.max(wanted.length / 3, 1));
  const look = skeleton(written);
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of legal) {
    if (look === candidate && look !== written) return candidate;
    const letters = [...candidate.toLowerCase()];
    if (Math.abs(letters.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, letters);
    // Where no letter is kept nothing has been recognised.
    if (distance >= Math.max(wanted.length, letters.length)) continue;
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: readonly string[], b: readonly string[]): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
