/** Text fitted into columns of a terminal; Chinese, Japanese and Korean letters take two. */
import { displayWidth } from '../compiler/source/width.ts';

/** Pads with spaces to `width` columns. */
export function padDisplay(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** Cuts to `width` columns, with `…` where something was cut. */
export function truncateDisplay(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = displayWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}

/** The parts that fit into `columns` with `gap` between them: whole ones; one that is too long makes room for those behind it. */
export function fittingParts(parts: readonly string[], columns: number, gap: string): string {
  let used = 0;
  const fitting = parts.filter((part) => {
    const next = displayWidth(part) + (used === 0 ? 0 : displayWidth(gap));
    if (used + next > columns) return false;
    used += next;
    return true;
  });
  return fitting.join(gap);
}

/** Without line breaks and the marks of a chat template, which take more room than the words between them. */
export function oneLine(text: string): string {
  const words = text.replace(/<\|[^|<>\s]{1,40}\|>/g, ' ');
  return words.replace(/\s+/g, ' ').trim();
}
