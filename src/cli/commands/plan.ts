/** `ftc plan`: what would run, why, and what it costs. */
import { writeFile } from 'node:fs/promises';
import type { Plan } from '../../runtime/run/plan-types.ts';
import { CommandError, type RunCommand, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { type PlannedFile, planFile } from '../plan-file.ts';
import { planTable } from '../plan-table.ts';
import { diagnosticOf, exitCodeOfPlan, printDiagnostics, reportDiagnostics } from '../report-diagnostics.ts';
import { diagnosticsReport } from '../reporters/diagnostics-report.ts';
import { appendStepSummary, setOutputs } from '../reporters/github-commands.ts';
import { planMarkdown } from '../reporters/markdown.ts';
import {
  parseReporters,
  type ReporterRequest,
  reportSink,
  takesStdout,
} from '../reporters/reporter-request.ts';
import { saveablePlan } from '../saved-plan.ts';

const detailed = { nothingToRun: 0, error: 1, somethingToRun: 2 } as const;

export const run: RunCommand = async (given, output) => {
  const reporters = parseReporters(given.values('reporter'));
  const json = given.has('json');
  const planned = await planFile(given.positionals[0]!, given);
  if (planned.plan === undefined) {
    const code = reportDiagnostics([planned.checked], output, { json, quiet: true, reporters });
    return given.has('detailed-exitcode') ? detailed.error : code;
  }
  const { plan, source } = planned;
  const out = given.value('out');
  if (out !== undefined) await save(out, `${JSON.stringify(saveablePlan(plan, source), null, 2)}\n`);
  if (json) output.line(JSON.stringify(plan));
  else if (!reporters.some(takesStdout)) show(planned, output, given.has('quiet'), out);
  for (const request of reporters) report(request, planned, output, json);
  if (!given.has('detailed-exitcode')) return exitCodeOfPlan(plan);
  if (!runnable(plan)) return detailed.error;
  return plan.has_changes ? detailed.somethingToRun : detailed.nothingToRun;
};

function show({ checked, plan }: PlannedFile, output: Output, quiet: boolean, out: string | undefined): void {
  if (!quiet) output.line(planTable(plan, { style: output.style, columns: output.columns }));
  printDiagnostics(checked, plan.diagnostics, output);
  if (out === undefined || quiet) return;
  const use = runnable(plan) ? `execute exactly this plan with: ftc run ${out}` : 'a run refuses this plan';
  output.line(`\nwritten; ${use}`);
}

/** A run refuses also what a plan only warns of. */
const runnable = ({ diagnostics }: Plan): boolean => diagnostics.length === 0;

function report(
  request: ReporterRequest,
  { checked, plan }: PlannedFile,
  output: Output,
  json: boolean,
): void {
  switch (request.name) {
    case 'json':
      reportSink(request, output)(`${JSON.stringify(plan)}\n`);
      return;
    case 'markdown':
      reportSink(request, output)(planMarkdown(plan));
      return;
    case 'junit':
      throw new UsageError('a plan has no test cases to report as JUnit', 'use `ftc run --reporter junit`');
    case 'github': {
      const diagnostics = [...checked.diagnostics, ...plan.diagnostics.map(diagnosticOf)];
      diagnosticsReport(request, [{ ...checked, diagnostics }], output, !json);
      appendStepSummary(planMarkdown(plan));
      setOutputs({ has_changes: String(plan.has_changes) });
    }
  }
}

async function save(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new CommandError(`cannot write the plan: ${(error as Error).message}`, exitCodes.environment);
  }
}
