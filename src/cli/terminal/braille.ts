/** Curves in braille characters: each cell is two dots wide and four dots high. */

/** Bit of the dot at [row][column] of a cell (Unicode braille patterns). */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

const blank = 0x2800;

/** `values` from left to right as `rows` lines of `columns` cells; the lowest value touches the bottom, the highest the top. */
export function drawCurve(values: readonly number[], columns: number, rows: number): readonly string[] {
  const cells = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const heights = scaled(resample(values, columns * 2), rows * 4);
  heights.forEach((height, x) => {
    const before = heights[x - 1] ?? height;
    // Joined to its neighbour by a vertical stroke, so that a steep curve has no holes.
    const [from, to] =
      before < height ? [before + 1, height] : before > height ? [height, before - 1] : [height, height];
    for (let y = from; y <= to; y++) {
      const fromTop = rows * 4 - 1 - y;
      const line = cells[Math.floor(fromTop / 4)]!;
      line[x >> 1] = line[x >> 1]! | dots[(fromTop % 4) as 0 | 1 | 2 | 3][(x & 1) as 0 | 1];
    }
  });
  return cells.map((line) => String.fromCodePoint(...line.map((bits) => blank + bits)));
}

/** Exactly `count` values: means of neighbours where there are more, straight lines between them where there are fewer. */
export function resample(values: readonly number[], count: number): readonly number[] {
  const size = values.length;
  if (size === 0) return [];
  if (size === 1) return [values[0]!];
  return Array.from({ length: count }, (_, i) => {
    if (size > count) {
      const [start, end] = [
        Math.floor((i * size) / count),
        Math.max(Math.floor(((i + 1) * size) / count), 1),
      ];
      const slice = values.slice(start, Math.max(end, start + 1));
      return slice.reduce((sum, value) => sum + value, 0) / slice.length;
    }
    const place = (i / (count - 1)) * (size - 1);
    const left = Math.floor(place);
    const right = Math.min(left + 1, size - 1);
    return values[left]! + (values[right]! - values[left]!) * (place - left);
  });
}

/** Whole dots from 0 to `height` - 1; a constant lies in the middle. */
function scaled(values: readonly number[], height: number): readonly number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (high === low) return values.map(() => Math.floor(height / 2));
  return values.map((value) => Math.round(((value - low) / (high - low)) * (height - 1)));
}
