/** How the live view divides the terminal: the most important lines first, and never more lines than there are. */
export interface Layout {
  readonly columns: number;
  readonly header: boolean;
  readonly stages: boolean;
  readonly figures: boolean;
  readonly footer: boolean;
  /** Blank lines between the parts. */
  readonly gaps: boolean;
  /** How many charts, and how many lines each curve has; 0 for none. */
  readonly charts: number;
  readonly chartRows: number;
  readonly chartColumns: number;
  readonly sideBySide: boolean;
  readonly messages: number;
}

const tallestChart = 7;
const shortestChart = 2;
const mostMessages = 3;
/** Columns of the labels left of a curve, and of the margin. */
const chartFrame = 10;

/** `wanted`: how many charts and messages there are to show. */
export function layOut(
  columns: number,
  rows: number,
  wanted: { readonly charts: number; readonly messages: number },
): Layout {
  // The cursor stands on a line of its own below the view; a view as high as the terminal would flicker.
  let left = Math.max(1, rows - 1);
  const take = (lines: number) => {
    if (left < lines) return false;
    left -= lines;
    return true;
  };
  take(1); // the progress bar
  const figures = take(1);
  const stages = take(1);
  const footer = take(1);
  const header = take(1);
  const messages = Math.min(wanted.messages, mostMessages, Math.max(0, left - 3));
  left -= messages;
  const gaps = left >= 4 + shortestChart + 1 && take(4);
  const sideBySide = wanted.charts > 1 && columns >= 72;
  const stacked = sideBySide ? 1 : wanted.charts;
  const fitting = Math.min(stacked, Math.floor(left / (shortestChart + 1)));
  const chartRows = fitting === 0 ? 0 : Math.min(tallestChart, Math.floor(left / fitting) - 1);
  const charts = fitting === 0 ? 0 : sideBySide ? wanted.charts : fitting;
  const share = sideBySide ? Math.floor((columns - 2) / wanted.charts) : columns - 2;
  return {
    columns,
    header,
    stages,
    figures,
    footer,
    gaps,
    charts,
    chartRows,
    chartColumns: Math.max(4, share - chartFrame),
    sideBySide,
    messages,
  };
}
