/** How a model came to be: the stages that it went through, with their options, rows and metrics. */
import { dirname, join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import type { DataExpression, Job } from '../../compiler/graph/graph.ts';
import { catalog } from '../catalog.ts';
import { resolveConvention } from '../data/convention.ts';
import { countRows, digestData } from '../data/digest-data.ts';
import type { Metrics } from './events.ts';
import type { ExistingModel } from './existing-model.ts';

export interface LineageData {
  readonly option: string;
  /** `jsonl(path="data/sft.jsonl") → split(test=0.1)` */
  readonly text: string;
  /** Hex; equal where the rows are. */
  readonly sha256: string;
  readonly train: number;
  readonly test: number;
}

export interface LineageStage {
  readonly id: string;
  readonly kind: string;
  readonly method?: string;
  readonly model?: string;
  readonly options: string;
  readonly data: readonly LineageData[];
  readonly metrics: Metrics;
}

export interface Lineage {
  readonly stages: readonly LineageStage[];
  /** The model that was opened, where the pipeline started from one. */
  readonly base?: ExistingModel | undefined;
}

export interface LineageSources {
  /** The pipeline file. */
  readonly file: string;
  readonly metricsOf: (job: string) => Metrics;
  /** The model that a job opened, where it is one that does. */
  readonly openedBy: (job: string) => Promise<ExistingModel | undefined>;
}

/** Of the model that reaches `job`; `jobs` in their order. */
export async function lineageOf(
  job: Job,
  jobs: readonly Job[],
  { file, metricsOf, openedBy }: LineageSources,
): Promise<Lineage> {
  const wanted = ancestors(job, jobs);
  const stages = jobs.filter(({ id, kind }) => wanted.has(id) && kind !== 'gate' && kind !== 'export');
  const opened = startOf(job, jobs);
  return {
    stages: await Promise.all(stages.map((one) => stageOf(one, dirname(file), metricsOf(one.id)))),
    base: opened && (await openedBy(opened.id)),
  };
}

/** The stage that opened the model which became this one. */
function startOf(job: Job, jobs: readonly Job[]): Job | undefined {
  const what = String(job.options.what ?? 'policy');
  let at: Job | undefined = job;
  while (at !== undefined && at.kind !== 'open') {
    const from: string | undefined = at.inputs.find(
      ({ slot }) => slot === (at === job ? what : 'policy'),
    )?.from;
    at = jobs.find(({ id }) => id === from);
  }
  return at;
}

function ancestors(job: Job, jobs: readonly Job[]): Set<string> {
  const found = new Set<string>();
  // Of the models that reach an export, the one that it writes.
  const slots = [String(job.options.what ?? 'policy'), 'tokenizer'];
  const pending = job.inputs.filter(({ slot }) => slots.includes(slot)).map(({ from }) => from);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...(jobs.find((one) => one.id === id)?.inputs ?? []).map(({ from }) => from));
  }
  return found;
}

async function stageOf(job: Job, root: string, metrics: Metrics): Promise<LineageStage> {
  const { id, kind, method, model } = job;
  const data = await Promise.all(
    Object.entries(job.data).map(([option, rows]) => dataOf(option, rows, root)),
  );
  return {
    id,
    kind,
    ...(method && { method: call(method.name, method.options) }),
    ...(model && { model: call(model.name, model.options) }),
    options: optionsOf(job),
    data,
    metrics,
  };
}

async function dataOf(option: string, expression: DataExpression, root: string): Promise<LineageData> {
  const rows = await resolveConvention(expression, join(root, expression.directory));
  const [{ sha256 }, counted] = await Promise.all([digestData(rows, root), countRows(rows, root)]);
  return { option, text: rowsText(rows), sha256, ...counted };
}

function rowsText({ source, operators }: DataExpression): string {
  const inputs = source.inputs.map((input) => `(${rowsText(input)})`);
  const first = `${source.name}(${[...inputs, ...assignments(source.options)].join(' ')})`;
  return [first, ...operators.map(({ name, options }) => call(name, options))].join(' → ');
}

/** Those that decide the result. */
function optionsOf({ kind, options }: Job): string {
  const schemas = catalog.stages[kind]?.options ?? {};
  const kept = Object.entries(options).filter(([name]) => schemas[name]?.cosmetic !== true);
  return assignments(Object.fromEntries(kept)).join(' ');
}

type Options = { readonly [name: string]: Json };

const call = (name: string, options: Options): string => {
  const all = assignments(options).join(' ');
  return all === '' ? name : `${name}(${all})`;
};

const assignments = (options: Options): string[] =>
  Object.entries(options).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
