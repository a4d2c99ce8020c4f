/** Finds the code of a scaled value: how many midpoints of the table lie strictly below it. */

export interface CodeLookup {
  /** Midpoints of adjacent values, ascending, then Infinity. */
  readonly midpoints: Float32Array;
  /** Where in `midpoints` to begin for values of a cell: all before it lie in lower cells. */
  readonly start: Uint8Array;
  /** Cells of [0, 1]; [−1, 1] has twice as many, and one for 1 itself. */
  readonly cells: number;
  /** Place in ascending order → code. */
  readonly codes: Uint8Array;
}

/** Narrower than the gaps of the four-bit tables, so their values take at most one step from where their cell begins. */
const CELLS = 256;

const cellOf = (value: number, cells: number): number => ((value + 1) * cells) | 0;

/** @param table The value of each code, at most 256, in any order. Of equal values the lowest code is taken. */
export function codeLookup(table: Float32Array): CodeLookup {
  const codes = Uint8Array.from(table.keys())
    .filter((code) => table.indexOf(table[code]!) === code)
    .sort((a, b) => table[a]! - table[b]!);
  const midpoints = Float32Array.from(codes, (code, i) => {
    const next = codes[i + 1];
    return next === undefined ? Number.POSITIVE_INFINITY : Math.fround(table[code]! + table[next]!) / 2;
  });
  const start = Uint8Array.from({ length: 2 * CELLS + 1 }, (_, cell) =>
    midpoints.findIndex((midpoint) => midpoint >= 1 || cellOf(midpoint, CELLS) >= cell),
  );
  return { midpoints, start, cells: CELLS, codes };
}

/** The code of a value in [−1, 1]. A value on a midpoint takes the lower of its two neighbours. */
export function codeOf({ midpoints, start, cells, codes }: CodeLookup, value: number): number {
  let place = start[cellOf(value, cells)]!;
  while (value > midpoints[place]!) place++;
  return codes[place]!;
}
