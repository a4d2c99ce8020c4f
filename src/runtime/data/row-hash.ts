import { createHash } from 'node:crypto';
import type { Side } from './row.ts';

/** JSON with the keys of every object in order: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** A number in [0, 1) that depends on the value alone. */
export function hashToUnit(value: unknown): number {
  return createHash('sha256').update(canonicalJson(value)).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Share of held-out rows where nothing else is said. */
export const defaultTestShare = 0.05;

/** Side of a value: the same for equal values, whatever rows are beside it. */
export function sideOf(value: unknown, testShare: number): Side {
  return hashToUnit(value) < testShare ? 'test' : 'train';
}
