/** `quick.perplexity <= 40` → the job that makes the metric, and the number. */

import type { GivenCondition } from '../checked/binding.ts';
import type { CheckedStage } from '../checked/check-stage.ts';
import type { Context } from '../checked/context.ts';
import { evaluate } from '../checked/evaluate.ts';
import { spanIn } from '../checked/module.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Range, Span } from '../source/span.ts';
import { printCondition } from '../syntax/print.ts';
import type { Path } from '../syntax/tree.ts';
import type { Condition } from './graph.ts';

interface Neighbours {
  readonly before: ReadonlyMap<string, CheckedStage>;
  readonly all: ReadonlyMap<string, CheckedStage>;
  /** Every step before this one could be read. */
  readonly certain: boolean;
}

export function resolveConditions(
  stage: CheckedStage,
  neighbours: Neighbours,
  context: Context,
): Condition[] {
  const { entry, job, idSpan, broken } = stage;
  if (entry.conditions && stage.conditions.length === 0 && !broken) {
    context.report(diagnose('no-conditions', { stage: job.id, example: entry.example }, { span: idSpan }));
  }
  return stage.conditions.flatMap((given) => resolveCondition(given, neighbours, context) ?? []);
}

function resolveCondition(
  { condition, scope }: GivenCondition,
  neighbours: Neighbours,
  context: Context,
): Condition | undefined {
  const value = evaluate(
    { value: condition.value, scope },
    condition.path.text,
    { type: 'number', ...unitOf(condition.value) },
    context,
  );
  const spanFor = (range: Range): Span => spanIn(scope.module, range);
  const source = sourceOf(condition.path, spanFor, neighbours, context);
  if (typeof value !== 'number' || source === undefined) return undefined;
  const whole = spanIn(scope.module, condition.range);
  return { text: printCondition(condition), ...source, comparison: condition.comparison, value, span: whole };
}

/** A share may be written as `35%`. */
const unitOf = (value: { kind: string; text?: unknown }): { unit?: 'ratio' } =>
  value.kind === 'quantity' && String(value.text).endsWith('%') ? { unit: 'ratio' } : {};

function sourceOf(
  path: Path,
  spanFor: (range: Range) => Span,
  { before, all, certain }: Neighbours,
  context: Context,
): { job: string; metric: string } | undefined {
  const label = path.names[0]!.text;
  const metric = path.text.slice(label.length + 1);
  const dotted = path.text.charAt(label.length) === '.';
  const whole = { span: spanFor(path.range) };
  const atLabel = { span: spanFor(path.names[0]!.range) };
  if (dotted) {
    const stage = before.get(label);
    if (stage?.entry.metrics.includes(metric)) return { job: label, metric };
    const target = all.get(label);
    if (stage !== undefined) {
      const at = { span: spanFor({ start: path.names[1]!.range.start, end: path.range.end }) };
      context.report(diagnose('unknown-metric', { metric, stage: label, legal: stage.entry.metrics }, at));
    } else if (target?.entry.metrics.includes(metric)) {
      context.report(diagnose('metric-made-later', { stage: label, metric }, whole));
    } else if (certain) {
      const legal = [...before].filter(([, { entry }]) => entry.metrics.length > 0).map(([id]) => id);
      context.report(diagnose('unknown-label', { label, legal, later: target !== undefined }, atLabel));
    }
    return undefined;
  }
  const makers = [...before].filter(([, { entry }]) => entry.metrics.includes(path.text)).map(([id]) => id);
  if (makers.length === 1) return { job: makers[0]!, metric: path.text };
  if (makers.length > 1)
    context.report(diagnose('ambiguous-metric', { metric: path.text, stages: makers }, whole));
  else if (certain) {
    const legal = [...new Set([...before.values()].flatMap(({ entry }) => entry.metrics))];
    context.report(diagnose('unknown-metric', { metric: path.text, legal }, whole));
  }
  return undefined;
}
