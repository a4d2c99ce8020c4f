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
