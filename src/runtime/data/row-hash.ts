import { hash } from 'node:crypto';
import type { Side } from './row.ts';

/**
 * JSON with the keys of every object in order, those that are numbers first: equal values have equal text. Of every row of
 * every pass, so it is written by hand where it can be: a replacer of JSON.stringify takes three times as long.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((part) => (part === undefined ? 'null' : canonicalJson(part))).join(',')}]`;
  const keys = Object.keys(value).sort();
  const isOdd = (key: string) => key === 'toJSON' || (key >= '0' && key < ':');
  if (keys.some(isOdd)) return reordered(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const written = keys.filter((key) => fields[key] !== undefined);
  return `{${written.map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`).join(',')}}`;
}

const reordered = (value: object): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** A number in [0, 1) that depends on the value alone. */
export function hashToUnit(value: unknown): number {
  return Number.parseInt(hash('sha256', canonicalJson(value)).slice(0, 12), 16) / 2 ** 48;
}

/** Share of held-out rows where nothing else is said. */
export const defaultTestShare = 0.05;

/** Side of a value: the same for equal values, whatever rows are beside it. */
export function sideOf(value: unknown, testShare: number): Side {
  return hashToUnit(value) < testShare ? 'test' : 'train';
}
