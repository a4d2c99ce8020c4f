/** Markdown pages on a terminal: headings bold, code cyan; without colours the text stays as it is. */
import type { Style } from './style.ts';

export function drawMarkdown(page: string, style: Style): string {
  if (!style.enabled) return page.trimEnd();
  let fenced = false;
  return page
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('```')) {
        fenced = !fenced;
        return [];
      }
      if (fenced) return [`  ${style.cyan(line)}`];
      if (/^#+ /.test(line)) return [style.bold(line.replace(/^#+ /, ''))];
      return [line.replace(/`([^`]+)`/g, (_, code: string) => style.cyan(code))];
    })
    .join('\n');
}
