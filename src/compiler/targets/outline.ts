/** What drawings of a graph have in common: boxes with a few words, and arrows with what they carry. */
import type { ExecutionGraph, Job } from '../graph/graph.ts';

/** Label, stage and method; the conditions of a gate. Lines end with a line feed. */
export function describeJob(job: Job): string {
  const title = job.id === job.kind ? job.id : `${job.id}: ${job.kind}`;
  const method = job.method === undefined ? [] : [job.method.name];
  const model = job.model === undefined ? [] : [job.model.name];
  return [title, ...model, ...method, ...job.conditions.map(({ text }) => text)].join('\n');
}

/** One arrow for all that flows from one job to another; a gate holds back the job behind it, which carries nothing. */
export function edgesOf({ jobs }: ExecutionGraph): { from: string; to: string; slots: readonly string[] }[] {
  const edges: { from: string; to: string; slots: readonly string[] }[] = [];
  for (const [index, job] of jobs.entries()) {
    const slots = new Map<string, string[]>();
    for (const { slot, from } of job.inputs) slots.set(from, [...(slots.get(from) ?? []), slot]);
    for (const [from, carried] of slots) edges.push({ from, to: job.id, slots: carried });
    const before = jobs[index - 1];
    if (before !== undefined && before.conditions.length > 0 && !slots.has(before.id)) {
      edges.push({ from: before.id, to: job.id, slots: [] });
    }
  }
  return edges;
}
