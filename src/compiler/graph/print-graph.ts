/** The graph as text, one block per job; stable, so that two graphs are the same where their texts are. */
import type { Json } from '../catalog.ts';
import type { DataExpression, ExecutionGraph, Job, Options } from './graph.ts';

export function printGraph({ pipeline, jobs }: ExecutionGraph): string {
  return [`pipeline ${pipeline}`, ...jobs.map(printJob)].join('\n\n').concat('\n');
}

function printJob(job: Job): string {
  const lines = [job.id === job.kind ? job.id : `${job.id}: ${job.kind}`];
  for (const { slot, from } of job.inputs) lines.push(`  ← ${slot} of ${from}`);
  if (job.outputs.length > 0) lines.push(`  → ${job.outputs.join(' ')}`);
  if (job.method !== undefined) lines.push(`  method ${printCall(job.method.name, job.method.options)}`);
  if (job.model !== undefined) lines.push(`  model ${printCall(job.model.name, job.model.options)}`);
  for (const [option, rows] of Object.entries(job.data)) lines.push(`  ${option} ${printRows(rows)}`);
  for (const { text, job: maker } of job.conditions) lines.push(`  if ${text} (of ${maker})`);
  for (const [name, value] of Object.entries(job.options)) lines.push(`  ${name} = ${printJson(value)}`);
  if (job.template !== undefined) lines.push(`  template = ${printJson(job.template)}`);
  for (const { path, value, from } of job.defaults)
    lines.push(`  default ${path} = ${printJson(value)} (${from})`);
  return lines.join('\n');
}

const printCall = (name: string, options: Options): string =>
  `${name}(${Object.entries(options)
    .map(([key, value]) => `${key}=${printJson(value)}`)
    .join(' ')})`;

/** `jsonl(path="data/prefs.jsonl") → split(test=0.1)` */
function printRows({ source, operators, directory }: DataExpression): string {
  const inputs = source.inputs.map((input) => `(${printRows(input)})`);
  const options = Object.entries(source.options).map(([key, value]) => `${key}=${printJson(value)}`);
  const first = `${source.name}(${[...inputs, ...options].join(' ')})${directory === '.' ? '' : ` in ${directory}`}`;
  return [first, ...operators.map(({ name, options: each }) => printCall(name, each))].join(' → ');
}

const printJson = (value: Json): string => JSON.stringify(value);
