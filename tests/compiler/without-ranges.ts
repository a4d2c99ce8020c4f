/** A tree without its places, to compare what was written and not where. */
export function withoutRanges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRanges);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'range' && key !== 'pathRange');
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutRanges(inner)]));
}
