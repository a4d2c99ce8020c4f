/** Diagnostics as JSON for programs: a contract, additive within a major version. */
import type { Json } from '../catalog.ts';
import type { Span } from '../source/span.ts';
import type { Diagnostic } from './diagnostic.ts';

type JsonObject = { readonly [key: string]: Json };

/** `{"format_version":"1.0","diagnostics":[…]}`, one line. */
export const renderJson = (diagnostics: readonly Diagnostic[]): string =>
  `${JSON.stringify({ format_version: '1.0', diagnostics: diagnostics.map(diagnosticJson) })}\n`;

function diagnosticJson(diagnostic: Diagnostic): JsonObject {
  const { code, name, severity, message, span, label, related, notes, help, fix } = diagnostic;
  return {
    code,
    name,
    severity,
    message,
    ...(span === undefined ? {} : spanJson(span)),
    ...(label === undefined ? {} : { label }),
    related: related.map((place) => ({ ...spanJson(place.span), label: place.label })),
    notes,
    help,
    ...(fix === undefined
      ? {}
      : { fix: fix.edits.map((edit) => ({ ...spanJson(edit.span), text: edit.text })) }),
    docs: `ftc explain ${code}`,
  };
}

/** Offsets count UTF-16 units from the beginning of the file. */
function spanJson({ file, start, end, line, column }: Span): JsonObject {
  return { file, line, column, start, end };
}
