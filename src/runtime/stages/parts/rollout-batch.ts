/** Prompts with their sampled responses as static batches of `size` sequences. */
import type { Batch } from '../stage.ts';

export interface Episode {
  readonly prompt: Int32Array;
  /** Sampled tokens, the end token included where it came. */
  readonly response: Int32Array;
}

export interface RolloutShape {
  readonly size: number;
  /** Tokens T of a padded sequence, and R of a response. */
  readonly length: number;
  readonly response: number;
}

/** `ids` (B, T), `rows` (B·R), `labels` (B·R); missing episodes repeat the first one. */
export function rolloutFeeds(
  episodes: readonly Episode[],
  { size, length, response }: RolloutShape,
): Batch['feeds'] {
  const ids = new Int32Array(size * length);
  const rows = new Int32Array(size * response);
  const labels = new Int32Array(size * response);
  for (let b = 0; b < size; b++) {
    const episode = episodes[b] ?? episodes[0]!;
    const start = episode.prompt.length;
    ids.set(episode.prompt, b * length);
    ids.set(episode.response, b * length + start);
    for (let j = 0; j < response; j++) {
      const inside = j < episode.response.length;
      rows[b * response + j] = b * length + (inside ? start - 1 + j : 0);
      labels[b * response + j] = inside ? episode.response[j]! : 0;
    }
  }
  return new Map([
    ['ids', { dtype: 'i32', shape: [size, length], data: ids }],
    ['rows', { dtype: 'i32', shape: [size * response], data: rows }],
    ['labels', { dtype: 'i32', shape: [size * response], data: labels }],
  ]);
}

/** Values of a (B, R) table, the masked places 0, as an f32 feed of B·R. */
export function columnFeed(table: readonly ArrayLike<number>[], { size, response }: RolloutShape) {
  const data = new Float32Array(size * response);
  for (const [b, row] of table.entries()) data.set(row, b * response);
  return { dtype: 'f32' as const, shape: [size * response], data };
}
