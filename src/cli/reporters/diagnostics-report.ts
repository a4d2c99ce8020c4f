/** Diagnostics of files in the formats of CI. */
import { type Diagnostic, hasErrors } from '../../compiler/diagnostics/diagnostic.ts';
import { renderJson } from '../../compiler/diagnostics/render-json.ts';
import type { Checked } from '../compile-file.ts';
import type { Output } from '../output.ts';
import { type Annotation, annotationLines, appendStepSummary } from './github-commands.ts';
import { type JunitCase, junitXml } from './junit.ts';
import { table } from './markdown.ts';
import { type ReporterRequest, reportSink } from './reporter-request.ts';

/** `annotate`: stdout has room for GitHub's lines. */
export function diagnosticsReport(
  request: ReporterRequest,
  checked: readonly Checked[],
  output: Output,
  annotate: boolean,
): void {
  const all = checked.flatMap(({ diagnostics }) => diagnostics);
  switch (request.name) {
    case 'json':
      reportSink(request, output)(`${renderJson(all).trimEnd()}\n`);
      return;
    case 'junit':
      reportSink(request, output)(junitXml('ftc check', checked.map(junitCase)));
      return;
    case 'markdown':
      reportSink(request, output)(`${diagnosticsMarkdown(all)}\n`);
      return;
    case 'github':
      if (annotate) for (const line of annotationLines(all.map(annotationOf))) output.line(line);
      if (all.length > 0) appendStepSummary(diagnosticsMarkdown(all));
  }
}

function diagnosticsMarkdown(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return 'No problems found.';
  return table(
    ['', 'code', 'place', 'problem', 'help'],
    diagnostics.map(({ severity, code, span, message, help }) => [
      severity,
      code,
      span === undefined ? '' : `${span.file}:${span.line}:${span.column}`,
      message,
      help.join('; '),
    ]),
  );
}

function annotationOf({ severity, code, name, message, span, help }: Diagnostic): Annotation {
  return {
    level: severity,
    title: `${code} ${name}`,
    message: [message, ...help.map((one) => `help: ${one}`)].join('\n'),
    ...(span === undefined ? {} : { file: span.file, line: span.line, column: span.column }),
  };
}

function junitCase({ path, diagnostics }: Checked): JunitCase {
  const lines = diagnostics.map(({ severity, code, message, span }) => {
    const place = span === undefined ? path : `${span.file}:${span.line}:${span.column}`;
    return `${place}: ${severity}[${code}]: ${message}`;
  });
  const base = { suite: 'ftc check', name: path, file: path, seconds: 0 };
  if (hasErrors(diagnostics)) {
    const [first] = diagnostics.filter(({ severity }) => severity === 'error');
    return { ...base, failure: { message: `${first!.code}: ${first!.message}`, details: lines.join('\n') } };
  }
  return { ...base, ...(lines.length === 0 ? {} : { output: lines.join('\n') }) };
}
