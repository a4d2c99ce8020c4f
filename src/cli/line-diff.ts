/** The difference of two texts by lines, with three lines of context, as `diff -u` writes it. */
import type { Style } from './style.ts';

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

const context = 3;

/** Empty where the texts are equal. */
export function lineDiff(before: string, after: string, name: string, style: Style): string {
  const lines = compare(before.split('\n'), after.split('\n'));
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - context), i + context + 1).some(({ sign }) => sign !== ' '),
  );
  const out: string[] = [];
  let [oldLine, newLine] = [1, 1];
  lines.forEach(({ sign, text }, i) => {
    if (near[i] && !near[i - 1]) {
      const end = near.indexOf(false, i);
      const hunk = lines.slice(i, end === -1 ? lines.length : end);
      const olds = hunk.filter((line) => line.sign !== '+').length;
      const news = hunk.filter((line) => line.sign !== '-').length;
      out.push(style.cyan(`@@ -${oldLine},${olds} +${newLine},${news} @@`));
    }
    if (near[i])
      out.push(sign === '-' ? style.red(`-${text}`) : sign === '+' ? style.green(`+${text}`) : ` ${text}`);
    if (sign !== '+') oldLine++;
    if (sign !== '-') newLine++;
  });
  return out.length === 0
    ? ''
    : [style.bold(`--- ${name}`), style.bold(`+++ ${name} (formatted)`), ...out].join('\n');
}

/** Longest common subsequence between the equal beginnings and ends. */
function compare(a: readonly string[], b: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const same = (texts: readonly string[]) => texts.map((text): Line => ({ sign: ' ', text }));
  const middle = between(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))];
}

function between(a: readonly string[], b: readonly string[]): readonly Line[] {
  const width = b.length + 1;
  // A table of 10 million cells is the most: beyond that the whole middle is replaced.
  if ((a.length + 1) * width > 1e7) {
    return [...a.map((text): Line => ({ sign: '-', text })), ...b.map((text): Line => ({ sign: '+', text }))];
  }
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i]! });
      i++;
      j++;
    } else if (
      j >= b.length ||
      (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push({ sign: '-', text: a[i++]! });
    } else lines.push({ sign: '+', text: b[j++]! });
  }
  return lines;
}
