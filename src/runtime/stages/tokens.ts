/** Token ids in a row, too many of them to lie in one array: what stages read text and rows from. */

/** An Int32Array is one. */
export interface Tokens {
  readonly length: number;
  /** Those from number `from` up to `to`; fewer where there are no more. Not to be written to. */
  subarray(from: number, to: number): Int32Array;
}

/** One that grows at its end: in memory while it is small, else in a file, the same to its readers. */
export interface TokenStore extends Tokens {
  readonly inMemory: boolean;
  /** Errors: StoreError where there is no room for more. */
  append(ids: ArrayLike<number>): void;
}

/** So much of one store stays in memory; what is larger lies in a file from there on. */
export const MOST_BYTES_IN_MEMORY = 64 * 2 ** 20;

/** Of a number that is less than `limit`. */
export const bytesOfToken = (limit: number): 2 | 4 => (limit <= 2 ** 16 ? 2 : 4);
