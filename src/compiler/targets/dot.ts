/** The graph in the language of Graphviz. */
import type { ExecutionGraph } from '../graph/graph.ts';
import { describeJob, edgesOf } from './outline.ts';

export function emitDot(graph: ExecutionGraph): string {
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
  const lines = graph.jobs.map(
    (job) =>
      `  ${quoted(job.id)} [label=${quoted(describeJob(job))}${job.conditions.length > 0 ? ', shape=diamond' : ''}];`,
  );
  for (const { from, to, slots } of edgesOf(graph)) {
    const style = slots.length === 0 ? ', style=dashed' : '';
    lines.push(`  ${quoted(from)} -> ${quoted(to)} [label=${quoted(slots.join(', '))}${style}];`);
  }
  return `digraph ${quoted(graph.pipeline)} {\n  rankdir=LR;\n  node [shape=box, fontname="sans-serif"];\n${lines.join('\n')}\n}\n`;
}
