/** The contract of the execution graph: what everybody behind it may rely on. */
import type { ExecutionGraph } from './graph.ts';

/** What is broken, in sentences; none where all is well. */
export function verifyGraph({ jobs }: ExecutionGraph): readonly string[] {
  const broken: string[] = [];
  const outputs = new Map<string, readonly string[]>();
  for (const { id, inputs, conditions, outputs: writes } of jobs) {
    if (outputs.has(id)) broken.push(`two jobs are called ${id}`);
    for (const { slot, from } of inputs) {
      const made = outputs.get(from);
      if (made === undefined) broken.push(`${id} reads ${slot} of ${from}, which does not come before it`);
      else if (!made.includes(slot)) broken.push(`${id} reads ${slot} of ${from}, which does not write it`);
    }
    for (const { job, value } of conditions) {
      if (!outputs.has(job)) broken.push(`${id} asks for a metric of ${job}, which does not come before it`);
      if (!Number.isFinite(value)) broken.push(`${id} compares with ${value}`);
    }
    outputs.set(id, writes);
  }
  return broken;
}
