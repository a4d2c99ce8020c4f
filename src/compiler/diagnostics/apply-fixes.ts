/** Mending a text: all the fixes that are beyond doubt. */
import type { SourceFile } from '../source/source-file.ts';
import type { Diagnostic, Edit } from './diagnostic.ts';

/** The text with the fixes of the diagnostics that concern this file, and how many there were. Fixes that overlap wait for the next time. */
export function applyFixes(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
): { text: string; applied: number } {
  const fixes = diagnostics.flatMap(({ fix }) =>
    fix?.edits.every(({ span }) => span.file === source.path) ? [fix.edits] : [],
  );
  const chosen: Edit[] = [];
  let applied = 0;
  for (const edits of fixes) {
    if (edits.some((edit) => chosen.some((other) => overlap(edit, other)))) continue;
    chosen.push(...edits);
    applied++;
  }
  let text = source.text;
  for (const { span, text: replacement } of chosen.sort((a, b) => b.span.start - a.span.start)) {
    text = text.slice(0, span.start) + replacement + text.slice(span.end);
  }
  return { text, applied };
}

const overlap = ({ span: a }: Edit, { span: b }: Edit): boolean =>
  a.start === b.start || (a.start < b.end && b.start < a.end);
