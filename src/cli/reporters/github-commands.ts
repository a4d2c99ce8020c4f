/** Workflow commands of GitHub Actions, as lines on stdout.
 *  @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
import { appendFileSync } from 'node:fs';

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  /** 1-based, as all positions here. */
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export function annotationLine({ level, message, title, ...place }: Annotation): string {
  const names = {
    file: 'file',
    line: 'line',
    endLine: 'endLine',
    column: 'col',
    endColumn: 'endColumn',
  } as const;
  const properties = Object.entries(names)
    .filter(([key]) => place[key as keyof typeof place] !== undefined)
    .map(([key, name]) => `${name}=${escapeProperty(String(place[key as keyof typeof place]))}`);
  return `::${level} ${[...properties, `title=${escapeProperty(title)}`].join(',')}::${escapeMessage(message)}`;
}

/** GitHub shows ten annotations of a level per step: errors first, and the last one says how many more there are. */
export function annotationLines(annotations: readonly Annotation[]): readonly string[] {
  return (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const all = annotations.filter((annotation) => annotation.level === level);
    const shown = all.length > shownPerLevel ? all.slice(0, shownPerLevel - 1) : all;
    const more: Annotation = {
      level,
      title: 'ftc',
      message: `${all.length - shown.length} more, see the log`,
    };
    return [...shown, ...(all.length > shown.length ? [more] : [])].map(annotationLine);
  });
}

const shownPerLevel = 10;

function escapeMessage(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Appends Markdown to the step's summary; GitHub refuses more than 1 MiB of it. */
export function appendStepSummary(markdown: string, environment: NodeJS.ProcessEnv = process.env): void {
  const path = environment.GITHUB_STEP_SUMMARY;
  if (path !== undefined && path !== '') appendFileSync(path, `${markdown.slice(0, summaryLimit)}\n`);
}

/** In UTF-16 units: at most three bytes each. */
const summaryLimit = 340_000;

/** Sets outputs that later steps read; the values hold no line breaks. */
export function setOutputs(
  outputs: { readonly [name: string]: string },
  environment: NodeJS.ProcessEnv = process.env,
): void {
  const path = environment.GITHUB_OUTPUT;
  if (path === undefined || path === '') return;
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value.replace(/[\r\n]+/g, ' ')}\n`);
  appendFileSync(path, lines.join(''));
}
