/** What a command found wrong: drawn by the compiler's renderer, as JSON, and in the formats of CI. */
import { problemNameOf } from '../compiler/diagnostics/codes.ts';
import { type Diagnostic, exitCodeOf } from '../compiler/diagnostics/diagnostic.ts';
import { renderJson } from '../compiler/diagnostics/render-json.ts';
import { renderText } from '../compiler/diagnostics/render-text.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import type { SourceFile } from '../compiler/source/source-file.ts';
import type { Plan, PlanDiagnostic } from '../runtime/run/plan-types.ts';
import type { Checked } from './compile-file.ts';
import { jsonFace } from './json.ts';
import type { Output } from './output.ts';
import { version } from './package-root.ts';
import { diagnosticsReport } from './reporters/diagnostics-report.ts';
import { type ReporterRequest, takesStdout } from './reporters/reporter-request.ts';
import type { Style } from './style.ts';
import { emptyView, type Problem } from './view-model.ts';

export interface ReportOptions {
  readonly json: boolean;
  readonly quiet?: boolean;
  readonly reporters: readonly ReporterRequest[];
}

/** For commands that end with it: diagnostics on stdout, reports where they were wanted. Gives the exit code. */
export function reportDiagnostics(
  checked: readonly Checked[],
  output: Output,
  options: ReportOptions,
): number {
  const { json, quiet, reporters } = options;
  const all = checked.flatMap(({ diagnostics }) => diagnostics);
  if (json) output.write(`${renderJson(all).trimEnd()}\n`);
  else if (!reporters.some(takesStdout)) {
    for (const { path, diagnostics, sources, graph, pipelines } of checked) {
      if (diagnostics.length > 0)
        output.line(`${drawn(diagnostics, sources, output.style, output.columns)}\n`);
      else if (!quiet) output.line(`${path}: ${output.style.green('ok')}, ${contents(graph, pipelines)}`);
    }
  }
  for (const request of reporters) diagnosticsReport(request, checked, output, !json);
  return exitCodeOf(all);
}

/** For commands that go on: diagnostics on stderr. */
export function printDiagnostics(checked: Checked, planned: readonly PlanDiagnostic[], output: Output): void {
  const all = [...checked.diagnostics, ...planned.map(diagnosticOf)];
  if (all.length > 0) output.error(drawn(all, checked.sources, output.errorStyle, output.columns));
}

/** A run that cannot start: the same diagnostics in the shape of its events, where those were wanted. */
export function reportRunProblems(
  checked: Checked,
  planned: readonly PlanDiagnostic[],
  output: Output,
  { json, reporters }: ReportOptions,
): number {
  const all = [...checked.diagnostics, ...planned.map(diagnosticOf)];
  if (json) {
    const face = jsonFace(output.write, version);
    for (const diagnostic of all) face.show(problemOf(diagnostic), emptyView, 0);
  } else if (!reporters.some(takesStdout)) printDiagnostics(checked, planned, output);
  for (const request of reporters)
    diagnosticsReport(request, [{ ...checked, diagnostics: all }], output, !json);
  return exitCodeOf(all);
}

export function exitCodeOfPlan({ diagnostics }: Plan): number {
  return exitCodeOf(diagnostics.map(diagnosticOf));
}

export function drawn(
  diagnostics: readonly Diagnostic[],
  sources: readonly SourceFile[],
  style: Style,
  columns: number,
): string {
  return renderText(diagnostics, { sources, color: style.enabled, columns }).trimEnd();
}

/** A plan's finding as the renderer takes it. */
export function diagnosticOf(found: PlanDiagnostic): Diagnostic {
  const { stage: _, ...rest } = found;
  return { name: problemNameOf(found.code) ?? 'internal', related: [], ...rest };
}

function problemOf({ code, message, span, notes, help }: Diagnostic): Problem {
  const place = span === undefined ? {} : { file: span.file, line: span.line, column: span.column };
  return { type: 'diagnostic', code, message, ...place, notes, help };
}

function contents(graph: ExecutionGraph | undefined, pipelines: readonly string[]): string {
  if (graph === undefined) {
    if (pipelines.length === 1) return 'one pipeline';
    return pipelines.length === 0 ? 'no pipeline' : `${pipelines.length} pipelines`;
  }
  return graph.jobs.length === 1 ? 'one stage' : `${graph.jobs.length} stages`;
}
