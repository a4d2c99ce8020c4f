/** Diagnostics as text for people. Columns count display width, so carets stand below what they mean. */
import { lineStart, lineText, type SourceFile } from '../source/source-file.ts';
import type { Span } from '../source/span.ts';
import { displayWidth } from '../source/width.ts';
import type { Diagnostic } from './diagnostic.ts';
import { paint, type Style } from './style.ts';

export interface RenderOptions {
  /** Every text that a diagnostic may point into; a place in another file is shown without its line. */
  readonly sources: readonly SourceFile[];
  /** ANSI colours. */
  readonly color?: boolean | undefined;
  /** Width of the screen: longer lines are shown around what they are about. */
  readonly columns?: number | undefined;
}

interface Mark {
  readonly span: Span;
  readonly label: string;
  readonly primary: boolean;
}

/** The sign that `ftc check --fix` mends it stands here or further right. */
const fixColumn = 57;

export function renderText(
  diagnostics: readonly Diagnostic[],
  { sources, color = false, columns = 200 }: RenderOptions,
): string {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const drawing = { sources: byPath, color, widest: Math.max(40, columns - 8) };
  return diagnostics.map((diagnostic) => renderOne(diagnostic, drawing)).join('\n');
}

interface Drawing {
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly color: boolean;
  /** Columns of source text. */
  readonly widest: number;
}

function renderOne(diagnostic: Diagnostic, drawing: Drawing): string {
  const { sources, color } = drawing;
  const { severity, code, name, message, span, related, notes, help } = diagnostic;
  const style: Style = severity === 'error' ? 'error' : 'warning';
  const lines = [
    `${paint(`${severity}[${code} ${name}]`, style, color)}${paint(`: ${message}`, 'strong', color)}`,
  ];
  const marks: Mark[] = related.map(({ span: at, label }) => ({ span: at, label, primary: false }));
  if (span !== undefined) marks.unshift({ span, label: diagnostic.label ?? '', primary: true });
  const digits = Math.max(0, ...marks.map(({ span: at }) => String(at.line).length));
  const gutter = ' '.repeat(digits);
  const edge = (sign: string): string => paint(gutter + sign, 'frame', color);
  for (const [index, file] of [...new Set(marks.map(({ span: at }) => at.file))].entries()) {
    const here = marks.filter(({ span: at }) => at.file === file);
    const first = here.find(({ primary }) => primary) ?? here[0]!;
    lines.push(`${edge(index === 0 ? '┌─' : '├─')} ${file}:${first.span.line}:${first.span.column}`);
    const source = sources.get(file);
    if (source !== undefined) lines.push(...renderMarks(here, source, gutter, style, drawing));
  }
  const details = [
    ...notes.map((note) => `${gutter}= note: ${note}`),
    ...help.map((text, index) =>
      withFix(`${gutter}= help: ${text}`, index === 0 && diagnostic.fix !== undefined),
    ),
    ...(help.length === 0 && diagnostic.fix !== undefined
      ? [withFix(`${gutter}= help: this can be mended`, true)]
      : []),
    `${gutter}= docs: ftc explain ${code}`,
  ];
  return `${[...lines, ...details].join('\n')}\n`;
}

function withFix(text: string, isFixed: boolean): string {
  if (!isFixed) return text;
  const width = displayWidth(text);
  return `${text}${' '.repeat(Math.max(2, fixColumn - width))}[ftc check --fix]`;
}

function renderMarks(
  marks: readonly Mark[],
  source: SourceFile,
  gutter: string,
  style: Style,
  { color, widest }: Drawing,
): string[] {
  const byLine = new Map<number, Mark[]>();
  for (const mark of [...marks].sort((a, b) => a.span.start - b.span.start)) {
    byLine.set(mark.span.line, [...(byLine.get(mark.span.line) ?? []), mark]);
  }
  const out: string[] = [];
  let before: number | undefined;
  for (const [line, here] of byLine) {
    if (before !== undefined && line > before + 1) out.push(paint(`${gutter}·`, 'frame', color));
    before = line;
    const text = lineText(source, line);
    const shown = window(text, here, source, widest);
    out.push(`${paint(`${String(line).padStart(gutter.length)}│`, 'frame', color)} ${shown.shown}`.trimEnd());
    out.push(...underline(here, shown, line, source, gutter, style, color));
  }
  return out;
}

interface Window {
  /** The line as it is printed: tabs as spaces, very long lines cut around the marks. */
  readonly shown: string;
  /** Offset in the line where `shown` begins, and how many columns stand before it. */
  readonly from: number;
  readonly lead: number;
}

function window(text: string, marks: readonly Mark[], source: SourceFile, widest: number): Window {
  const plain = (part: string): string =>
    part.replaceAll('\t', ' ').replace(/[\u0000-\u001F\u007F-\u009F]/g, '·');
  if (text.length <= widest && displayWidth(text) <= widest) return { shown: plain(text), from: 0, lead: 0 };
  const start = lineStart(source, marks[0]!.span.line);
  const first = marks.reduce(
    (least, { span }) => Math.min(least, span.start - start),
    Number.POSITIVE_INFINITY,
  );
  const from = Math.max(0, first - Math.floor(widest / 3));
  let to = from;
  for (let width = 0; to < text.length && width < widest - 2; to++) width += displayWidth(text.charAt(to));
  const more = to < text.length ? '…' : '';
  return {
    shown: `${from > 0 ? '…' : ''}${plain(text.slice(from, to))}${more}`,
    from,
    lead: from > 0 ? 1 : 0,
  };
}

function underline(
  marks: readonly Mark[],
  { shown, from, lead }: Window,
  line: number,
  source: SourceFile,
  gutter: string,
  style: Style,
  color: boolean,
): string[] {
  const start = lineStart(source, line) + from;
  const plain = shown.slice(lead);
  const columnOf = (offset: number): number =>
    lead + displayWidth(plain.slice(0, Math.max(0, Math.min(offset - start, plain.length))));
  const placed = marks
    .map((mark) => {
      const column = columnOf(mark.span.start);
      return { ...mark, column, width: Math.max(1, columnOf(mark.span.end) - column) };
    })
    .sort((a, b) => a.column - b.column);
  let signs = '';
  let width = 0;
  for (const { column, width: wide, primary } of placed) {
    if (column < width) continue;
    signs +=
      ' '.repeat(column - width) +
      paint((primary ? '^' : '-').repeat(wide), primary ? style : 'frame', color);
    width = column + wide;
  }
  const edge = paint(`${gutter}│`, 'frame', color);
  const last = placed.at(-1)!;
  const rest = placed.slice(0, -1).filter(({ label }) => label !== '');
  const coloured = (mark: Mark): string => paint(mark.label, mark.primary ? style : 'frame', color);
  return [
    `${edge} ${signs}${last.label === '' ? '' : ` ${coloured(last)}`}`,
    ...rest.reverse().map((mark) => `${edge} ${' '.repeat(mark.column)}${coloured(mark)}`),
  ];
}
