/** What an estimate reads of a job's data: how many rows on each side, and what shape they were taken for. */
import type { FilledDefault, Job } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import type { Split } from '../data/row.ts';
import { ShapeCensus } from '../data/shapes/recognise-shape.ts';
import type { EstimateContext } from '../stages/stage.ts';
import type { KeptPasses } from './kept-passes.ts';

export interface RowsRead {
  /** The context, watching the rows that it hands out. */
  readonly context: EstimateContext;
  /** Fields that were made of other columns: `sft.data.prompt`. */
  defaults(): FilledDefault[];
  /** Rows by shape, and columns that nothing reads. Of plain text nothing is said. */
  notes(): string[];
}

interface Seen {
  readonly option: string;
  readonly split: Split;
  readonly census: ShapeCensus;
}

const sides: { readonly [S in Split]: string } = { train: 'to train on', test: 'held out', all: 'in all' };

/** A pass that took longer is kept for the next plan. */
const SLOW_MILLISECONDS = 1000;

export function watchRows(
  job: Job,
  context: EstimateContext,
  passes: KeptPasses,
  slow: number = SLOW_MILLISECONDS,
): RowsRead {
  const reads = stages[job.kind]!.entry.data?.rows === 'text' ? 'text' : 'any';
  const seen = new Map<string, Seen>();
  const rows: EstimateContext['rows'] = async function* (option, split) {
    const census = new ShapeCensus(reads);
    seen.set(`${option} ${split}`, { option, split, census });
    for await (const row of context.rows(option, split)) {
      census.add(row);
      yield row;
    }
  };
  const lengths: EstimateContext['lengths'] = (option, split, how, read) =>
    context.lengths(option, split, how, async () => {
      const as = [split, reads, ...how];
      const kept = await passes.find(option, as);
      if (kept) {
        seen.set(`${option} ${split}`, { option, split, census: kept.census });
        return kept.lengths;
      }
      const started = performance.now();
      const found = await read();
      if (performance.now() - started >= slow) {
        const { census } = seen.get(`${option} ${split}`)!;
        await passes.keep(option, as, { lengths: found, census });
      }
      return found;
    });
  return {
    context: { ...context, rows, lengths },
    defaults: () => defaultsOf(job.id, [...seen.values()]),
    notes: () =>
      [...new Set([...seen.values()].map(({ option }) => option))].flatMap((option) =>
        notesOf(
          option,
          [...seen.values()].filter((one) => one.option === option),
        ),
      ),
  };
}

function defaultsOf(id: string, seen: readonly Seen[]): FilledDefault[] {
  const found = seen.flatMap(({ option, census }) =>
    census.shapes().flatMap(({ shape, fields }) =>
      fields
        .filter(({ isItself }) => !isItself)
        .map(({ field, from }) => ({
          path: `${id}.${option}.${field}`,
          value: from,
          from: `${shape} columns`,
        })),
    ),
  );
  return [...new Map(found.map((one) => [`${one.path} ${one.value}`, one])).values()];
}

function notesOf(option: string, seen: readonly Seen[]): string[] {
  const shapes = new Set(seen.flatMap(({ census }) => census.shapes().map(({ shape }) => shape)));
  if (shapes.size === 0 || (shapes.size === 1 && shapes.has('text'))) return [];
  const counts = [...shapes].map((shape) => {
    const each = seen.map(({ split, census }) => [sides[split], census.count(shape)] as const);
    return `${shape}: ${each
      .filter(([, rows]) => rows > 0)
      .map(([side, rows]) => `${rows} ${rows === 1 ? 'row' : 'rows'} ${side}`)
      .join(', ')}`;
  });
  const unread = [...new Set(seen.flatMap(({ census }) => census.shapes().flatMap((shape) => shape.unread)))];
  return [
    `${option} is ${counts.join('; ')}`,
    ...(unread.length === 0
      ? []
      : [`columns of ${option} that nothing reads: ${unread.slice(0, 12).join(', ')}`]),
  ];
}
