/** A run or a plan as Markdown: for a step summary, a pull request, a notebook. */
import type { Plan } from '../../runtime/run/plan-types.ts';
import {
  formatBytes,
  formatMetric,
  formatRange,
  formatSeconds,
  formatShortCount,
} from '../format-numbers.ts';
import { keyFigures } from '../metric-names.ts';
import type { RunView, StageView } from '../view-model.ts';

export function runMarkdown(view: RunView): string {
  const conditions = view.stages.flatMap((stage) =>
    stage.conditions.map((condition) => ({ stage: stage.id, ...condition })),
  );
  const samples = view.stages.flatMap((stage) =>
    (stage.samples.at(-1)?.samples ?? []).map((sample) => ({ stage: stage.id, ...sample })),
  );
  return [
    `### ${cell(view.pipeline ?? 'run')}: ${(view.status ?? 'failed').replace('_', ' ')} after ${formatSeconds(view.seconds ?? 0)}`,
    '',
    table(['stage', 'state', 'time', 'results'], view.stages.map(stageRow)),
    ...(conditions.length === 0
      ? []
      : [
          '',
          table(
            ['gate', 'condition', 'value', ''],
            conditions.map(({ stage, text, value, passed }) => [
              stage,
              text,
              formatMetric(value),
              passed ? '✔' : '✗',
            ]),
          ),
        ]),
    ...view.problems.flatMap(({ code, message, notes, help }) => [
      '',
      `**${code}** ${cell(message)}`,
      ...[...notes, ...help].map((line) => `- ${cell(line)}`),
    ]),
    ...(samples.length === 0
      ? []
      : [
          '',
          table(
            ['stage', 'prompt', 'completion'],
            samples.slice(0, 20).map(({ stage, prompt, completion }) => [stage, prompt, completion]),
          ),
        ]),
    '',
  ].join('\n');
}

export function planMarkdown(plan: Plan): string {
  const rows = plan.stages.map((stage) => [
    stage.id,
    stage.action,
    stage.reason,
    stage.parameters === undefined
      ? ''
      : `${formatShortCount(stage.parameters.trainable)} of ${formatShortCount(stage.parameters.total)}`,
    String(stage.steps),
    formatShortCount(stage.tokens),
    stage.peak_memory_bytes === 0 ? '' : formatBytes(stage.peak_memory_bytes),
    formatRange(stage.seconds),
  ]);
  return [
    `### ${cell(plan.pipeline)}: ${plan.has_changes ? `${plan.totals.stages_to_run} to run` : 'nothing to run'}`,
    '',
    table(['stage', 'action', 'reason', 'trainable', 'steps', 'tokens', 'memory', 'time'], rows),
    '',
  ].join('\n');
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function stageRow(stage: StageView): readonly string[] {
  return [
    stage.id,
    stage.state.replace('_', ' '),
    stage.seconds === undefined ? '' : formatSeconds(stage.seconds),
    keyFigures(Object.keys(stage.results).length > 0 ? stage.results : stage.metrics, 5).join(', '),
  ];
}

/** Text inside a table: no line breaks, no bars, no markup. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|]/g, '\\$&');
}
