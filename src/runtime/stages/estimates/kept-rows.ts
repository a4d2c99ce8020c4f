/** What the rows that a stage reads again take: as tokens in memory or in files, and an index of them. */
import { storedWords, wordLimit } from '../parts/stored-sequences.ts';
import type { Estimate, PlannedModel } from '../stage.ts';
import { bytesOfToken, MOST_BYTES_IN_MEMORY } from '../tokens.ts';

/** Of a row: where it begins, how long it is, how much of it is learned, and its place in an epoch. */
const INDEX_BYTES_A_ROW = 20;

export interface KeptSide {
  readonly tokens: number;
  /** 0 for text, which is one long row. */
  readonly rows: number;
}

/** One store of tokens for each side of the data. */
export function keptRows(
  { family, config }: PlannedModel,
  ...sides: readonly KeptSide[]
): { readonly memory: number; readonly file: number } {
  const width = bytesOfToken(wordLimit(family.shape(config).vocabularySize));
  const stores = sides.map(({ tokens, rows }) => ({
    index: rows * INDEX_BYTES_A_ROW,
    bytes: width * (rows === 0 ? tokens : storedWords(tokens)),
  }));
  const sum = (of: (store: (typeof stores)[number]) => number) => stores.reduce((n, one) => n + of(one), 0);
  return {
    memory: sum(({ index, bytes }) => index + Math.min(bytes, MOST_BYTES_IN_MEMORY)),
    file: sum(({ bytes }) => (bytes > MOST_BYTES_IN_MEMORY ? bytes : 0)),
  };
}

/** The estimate of a stage, with what its rows take. */
export function withKeptRows<E extends Pick<Estimate, 'held' | 'scratchBytes'>>(
  estimate: E,
  { memory, file }: ReturnType<typeof keptRows>,
): E {
  const { held, scratchBytes = 0 } = estimate;
  return { ...estimate, held: { ...held, index: memory }, scratchBytes: scratchBytes + file };
}
