/** `ftc why`: why a stage would run again, followed back to the stages where it began. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import type { Plan, PlannedStage } from '../../runtime/run/plan-types.ts';
import { type RunCommand, UsageError } from '../command.ts';
import type { Output } from '../output.ts';
import { planFile } from '../plan-file.ts';
import { exitCodeOfPlan, printDiagnostics, reportDiagnostics } from '../report-diagnostics.ts';

export const run: RunCommand = async (given, output) => {
  const [file, id] = given.positionals as [string, string];
  const json = given.has('json');
  const planned = await planFile(file, given);
  if (planned.plan === undefined) {
    return reportDiagnostics([planned.checked], output, { json, quiet: true, reporters: [] });
  }
  const { plan } = planned;
  const stage = find(plan, id);
  const causes = causesOf(plan, stage);
  if (json) {
    const shown = [stage, ...causes].map(({ id: name, action, reason, key }) => ({
      stage: name,
      action,
      reason,
      key,
    }));
    output.line(JSON.stringify({ format_version: '1.0', ...shown[0], because: shown.slice(1) }));
  } else {
    explain(stage, causes, output);
    printDiagnostics(planned.checked, plan.diagnostics, output);
  }
  return exitCodeOfPlan(plan);
};

function find(plan: Plan, id: string): PlannedStage {
  const stage = plan.stages.find((one) => one.id === id);
  if (stage !== undefined) return stage;
  const ids = plan.stages.map((one) => one.id);
  const meant = nearest(id, ids);
  throw new UsageError(
    `the pipeline has no stage \`${id}\``,
    meant === undefined ? `its stages: ${ids.join(', ')}` : `did you mean \`${meant}\`?`,
  );
}

/** The stages before it that would not be cached either, nearest first. */
function causesOf(plan: Plan, stage: PlannedStage): readonly PlannedStage[] {
  const found: PlannedStage[] = [];
  const visit = ({ inputs }: PlannedStage): void => {
    for (const input of inputs) {
      const before = plan.stages.find(({ id }) => input.startsWith(`${id}.`));
      if (before === undefined || before.action === 'cached' || found.includes(before)) continue;
      found.push(before);
      visit(before);
    }
  };
  if (stage.action !== 'cached') visit(stage);
  return found;
}

const verbs = {
  run: 'would run',
  cached: 'is cached and would not run',
  resume: 'would go on',
  blocked: 'is blocked',
} as const;

function explain(stage: PlannedStage, causes: readonly PlannedStage[], { line, style }: Output): void {
  line(`${style.bold(stage.id)} ${verbs[stage.action]}: ${stage.reason}`);
  for (const { id, action, reason } of causes)
    line(`  ${style.dim('because')} ${style.bold(id)} ${verbs[action]}: ${reason}`);
  line(`  ${style.dim('key')} ${stage.key}`);
}
