/** How moments are kept: what holds them, and the way to and from single precision. */

/** A moment of a range of elements, in the order of `MomentFormat.parts`. */
type Parts = readonly (Float32Array | Uint8Array)[];

export interface MomentFormat {
  readonly parts: readonly {
    /** Behind the moment's letter: `m`, `m.absmax`. */
    readonly suffix: string;
    readonly dtype: 'f32' | 'u8';
    /** Elements that share a number of this part. */
    readonly per: number;
  }[];
  /** Elements start … start + count − 1 of the range, into the head of `values`; `start` is a multiple of every `per`. */
  load(parts: Parts, start: number, count: number, values: Float32Array): void;
  store(values: Float32Array, parts: Parts, start: number, count: number): void;
}

export const single: MomentFormat = {
  parts: [{ suffix: '', dtype: 'f32', per: 1 }],
  load: ([kept], start, count, values) => values.set(kept!.subarray(start, start + count)),
  store: (values, [kept], start, count) => kept!.set(values.subarray(0, count), start),
};
