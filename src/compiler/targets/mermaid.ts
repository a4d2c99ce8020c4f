/** The graph as a Mermaid flowchart, which Markdown on most forges draws. */
import type { ExecutionGraph } from '../graph/graph.ts';
import { describeJob, edgesOf } from './outline.ts';

export function emitMermaid(graph: ExecutionGraph): string {
  // Ids of Mermaid are ASCII words that are no keywords (`end`), so jobs are numbered.
  const ids = new Map(graph.jobs.map(({ id }, index) => [id, `s${index + 1}`]));
  const lines = graph.jobs.map((job) => {
    const [open, close] = job.conditions.length > 0 ? ['{', '}'] : ['[', ']'];
    return `  ${ids.get(job.id)}${open}"${escapeText(describeJob(job))}"${close}`;
  });
  for (const { from, to, slots } of edgesOf(graph)) {
    const arrow = slots.length === 0 ? '-.->' : `-->|"${slots.join(', ')}"|`;
    lines.push(`  ${ids.get(from)} ${arrow} ${ids.get(to)}`);
  }
  return `flowchart LR\n${lines.join('\n')}\n`;
}

const escapeText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\n', '<br/>');
