/** `ftc run`: plans, then hands the frozen plan to the engine and shows what happens. */
import { createInterface } from 'node:readline/promises';
import { DiagnosticError, diagnose } from '../../compiler/diagnostics/diagnostic.ts';
import type { Plan } from '../../runtime/run/plan-types.ts';
import type { Arguments } from '../arguments.ts';
import { chooseFaces, type FaceChoice } from '../choose-faces.ts';
import { type RunCommand, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { followRun, type RunControl } from '../follow-run.ts';
import { formatSeconds } from '../format-numbers.ts';
import type { Output } from '../output.ts';
import { type PlannedFile, planFile, planSource } from '../plan-file.ts';
import { printDiagnostics, reportRunProblems } from '../report-diagnostics.ts';
import { parseReporters } from '../reporters/reporter-request.ts';
import { resumeCommand } from '../resume-command.ts';
import { readSavedPlan, type SavedPlan, whatIsStale } from '../saved-plan.ts';

/** A run expected to take longer asks first, where someone can answer. */
const longRunSeconds = 3600;

export const run: RunCommand = async (given, output) => {
  const path = given.positionals[0]!;
  const reporters = parseReporters(given.values('reporter'));
  const json = given.has('json');
  const saved = await readSavedPlan(path);
  if (saved !== undefined) refuseChanges(given);
  const planned = saved === undefined ? await planFile(path, given) : await planSource(saved.source);
  if (planned.plan === undefined) return reportRunProblems(planned.checked, [], output, { json, reporters });
  const { plan, checked } = planned;
  if (saved !== undefined) refuseStale(path, saved, plan);
  // What a plan only warns of is in the way of a run.
  const problems = plan.diagnostics.map((found) => ({ ...found, severity: 'error' as const }));
  if (problems.length > 0) return reportRunProblems(checked, problems, output, { json, reporters });
  if (!json) printDiagnostics(checked, [], output);
  if (!given.has('yes') && !(await goesAhead(plan, output))) return exitCodes.ok;
  return start(planned, given, output, {
    json,
    plain: given.has('plain'),
    quiet: given.has('quiet'),
    reporters,
    resume: resumeCommand(planned.source),
    store: planned.store,
    file: planned.source.file,
  });
};

function start(
  { plan, graph, source, store }: PlannedFile,
  given: Arguments,
  output: Output,
  choice: FaceChoice,
): Promise<number> {
  const control: { current?: RunControl } = {};
  const request = { file: source.file, plan, graph, store, device: source.device };
  // The live view owns the terminal: what libraries print would tear it.
  const lines = choice.json || choice.plain || !output.interactive;
  const log = given.has('verbose') && lines ? { log: (text: string) => void process.stderr.write(text) } : {};
  return chooseFaces(choice, output, control).then((faces) =>
    followRun({ request, faces, resume: choice.resume, ...log }, control),
  );
}

/** A plan holds what it was made with. */
function refuseChanges(given: Arguments): void {
  const flag = ['only', 'from', 'until', 'pipeline', 'profile', 'set', 'device', 'store'].find(given.has);
  if (flag === undefined) return;
  throw new UsageError(
    `a plan is run as it was made: \`--${flag}\` cannot change it`,
    'make a new one with `ftc plan`',
  );
}

/** @throws DiagnosticError `stale-plan` */
function refuseStale(path: string, saved: SavedPlan, now: Plan): void {
  const changed = whatIsStale(saved, now);
  if (changed.length > 0) throw new DiagnosticError(diagnose('stale-plan', { path, changed }));
}

async function goesAhead(plan: Plan, output: Output): Promise<boolean> {
  const { low, high } = plan.totals.seconds;
  if (high < longRunSeconds || !output.interactive || !process.stdin.isTTY) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const question = `this will take about ${formatSeconds(low)} to ${formatSeconds(high)}; go ahead? [Y/n] `;
  const answer = await prompt.question(question).finally(() => prompt.close());
  return !/^n/i.test(answer.trim());
}
