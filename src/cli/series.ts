/** The history of one metric, thinned so that a long run stays small: neighbours are averaged when it grows too long. */
export interface Series {
  readonly values: readonly number[];
  /** How many observations each value stands for. */
  readonly stride: number;
  readonly pending: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

const longest = 512;

/** Adds an observation; non-finite ones leave the series as it is (a chart cannot draw them). */
export function extend(series: Series | undefined, value: number): Series {
  if (!Number.isFinite(value)) return series ?? emptySeries;
  if (series === undefined || series.stride === 0) {
    return { values: [value], stride: 1, pending: [], first: value, last: value, low: value, high: value };
  }
  const pending = [...series.pending, value];
  const full = pending.length >= series.stride;
  let values = full ? [...series.values, mean(pending)] : series.values;
  let stride = series.stride;
  if (values.length >= longest) {
    values = Array.from({ length: longest / 2 }, (_, i) => mean(values.slice(2 * i, 2 * i + 2)));
    stride *= 2;
  }
  return {
    values,
    stride,
    pending: full ? [] : pending,
    first: series.first,
    last: value,
    low: Math.min(series.low, value),
    high: Math.max(series.high, value),
  };
}

const emptySeries: Series = {
  values: [],
  stride: 0,
  pending: [],
  first: Number.NaN,
  last: Number.NaN,
  low: Number.NaN,
  high: Number.NaN,
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
