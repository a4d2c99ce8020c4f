/** Checked stages → jobs with their edges: who fills each slot that a stage reads. */
import type { Catalog, Slot } from '../catalog.ts';
import type { Checked, CheckedPipeline } from '../checked/check.ts';
import type { CheckedStage } from '../checked/check-stage.ts';
import type { Context } from '../checked/context.ts';
import { type Diagnostic, diagnose, hasErrors, sortDiagnostics } from '../diagnostics/diagnostic.ts';
import type { Pass } from '../pass.ts';
import { resolveConditions } from './conditions.ts';
import type { ExecutionGraph, Job } from './graph.ts';
import { openJobs } from './open-jobs.ts';
import { printGraph } from './print-graph.ts';
import { slotWords } from './slots.ts';
import { chooseTemplates } from './templates.ts';
import { verifyGraph } from './verify-graph.ts';

/** What was written on the command line cannot be mended in a file. */
function withoutFixesOfSettings(diagnostic: Diagnostic): Diagnostic {
  if (!diagnostic.span?.file.startsWith('--set')) return diagnostic;
  const { fix: _, ...rest } = diagnostic;
  return rest;
}

export interface Connected {
  /** The chosen pipeline; absent where it or anything before it has errors. */
  readonly graph?: ExecutionGraph;
  /** All problems that were found, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Every pipeline is connected, so that each is checked; the chosen one is handed on. */
export const connecting: Pass<Checked, Connected> = {
  name: 'connect',
  ensures: 'every slot that a job reads is written by an earlier one',
  run({ pipelines, selected, context, diagnostics, sources }) {
    const graphs = new Map(pipelines.map((pipeline) => [pipeline, connect(pipeline, context)]));
    const graph = selected === undefined || hasErrors(diagnostics) ? undefined : graphs.get(selected);
    const paths = sources.map(({ path }) => path);
    return {
      ...(graph && { graph }),
      diagnostics: sortDiagnostics(diagnostics.map(withoutFixesOfSettings), paths),
    };
  },
  print: ({ graph }) => (graph === undefined ? '' : printGraph(graph)),
  verify: ({ graph }) => (graph === undefined ? [] : verifyGraph(graph)),
};

function connect(pipeline: CheckedPipeline, context: Context): ExecutionGraph {
  const writers = new Map<Slot, string>();
  const byId = new Map<string, CheckedStage>();
  const later = new Map(pipeline.stages.flatMap((stage) => (stage ? [[stage.job.id, stage] as const] : [])));
  const templates = chooseTemplates(pipeline.stages, context.catalog);
  // A step that could not be read may have written anything, so nothing behind it is known to be missing.
  let certain = !pipeline.incomplete;
  const jobs: Job[] = [];
  for (const stage of pipeline.stages) {
    if (stage === undefined) {
      certain = false;
      continue;
    }
    const { job, entry, idSpan } = stage;
    const first = byId.get(job.id);
    if (first !== undefined) {
      const related = [{ span: first.idSpan, label: 'the first one' }];
      context.report(diagnose('duplicate-label', { label: job.id }, { span: idSpan, related }));
    }
    const conditions = resolveConditions(stage, { before: byId, all: later, certain }, context);
    const opened = openJobs(stage, jobs, later);
    for (const { job: made, fresh } of opened) if (fresh && made) jobs.push(made);
    const asked = [...new Set(conditions.map((condition) => condition.job))];
    const inputs: { slot: Slot; from: string }[] = [];
    for (const { slot, required } of entry.reads) {
      const own = opened.find(({ slots }) => slots.includes(slot));
      const from = own ? own.job?.id : writers.get(slot);
      // Conditions say by themselves whose metrics they read.
      if (slot === 'metrics' && asked.length > 0) inputs.push(...asked.map((id) => ({ slot, from: id })));
      else if (from !== undefined) inputs.push({ slot, from });
      else if (required && certain && own === undefined) missingSlot(stage, slot, context);
      if (from === undefined && required && own === undefined) writers.set(slot, job.id);
    }
    for (const { label, span } of stage.labels) {
      if (byId.has(label) || !certain) continue;
      const data = { label, legal: [...byId.keys()], later: later.has(label) };
      context.report(diagnose('unknown-label', data, { span }));
    }
    const template = templates.get(stage);
    jobs.push({
      ...job,
      ...(template?.text === undefined ? {} : { template: template.text }),
      conditions,
      inputs,
      defaults: template?.from === undefined ? job.defaults : [...job.defaults, template.from],
    });
    for (const slot of entry.writes) writers.set(slot, job.id);
    if (first === undefined) byId.set(job.id, stage);
  }
  return { format: 1, pipeline: pipeline.name, jobs };
}

function missingSlot({ job, idSpan }: CheckedStage, slot: Slot, context: Context): void {
  const data = {
    stage: job.id,
    slot,
    describes: slotWords[slot],
    providers: writersOf(slot, job.kind, context.catalog),
  };
  context.report(diagnose('missing-slot', data, { span: idSpan }));
}

/** Stages that make a slot out of nothing come first; those that need it themselves help nobody. */
function writersOf(slot: Slot, except: string, { stages }: Catalog): string[] {
  return Object.values(stages)
    .filter(
      ({ name, writes, reads }) =>
        name !== except &&
        writes.includes(slot) &&
        !reads.some((read) => read.slot === slot && read.required),
    )
    .map(({ name }) => name);
}
