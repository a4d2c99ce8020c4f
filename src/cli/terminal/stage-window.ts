/** Which stages of a long pipeline fit in one line: the running one, and its neighbours on both sides. */
export interface StageWindow {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** `widths`: columns of each stage; `gap`: columns between two. Room for the marks at cut ends is kept. */
export function fitStages(
  widths: readonly number[],
  current: number,
  columns: number,
  gap: number,
): StageWindow {
  let first = current;
  let end = current + 1;
  const cost = (from: number, to: number) => {
    const inner = widths.slice(from, to).reduce((sum, width) => sum + width, 0) + gap * (to - from - 1);
    return inner + (from > 0 ? gap + 1 : 0) + (to < widths.length ? gap + 1 : 0);
  };
  for (;;) {
    // What comes next is more telling than what is done.
    if (end < widths.length && cost(first, end + 1) <= columns) end++;
    else if (first > 0 && cost(first - 1, end) <= columns) first--;
    else return { first, end };
  }
}
