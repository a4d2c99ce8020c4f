import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Compiled, compile } from '../../src/compiler/compile.ts';
import type { DataExpression } from '../../src/compiler/graph/graph.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { openData } from '../../src/runtime/data/open-data.ts';
import type { Row, Split } from '../../src/runtime/data/row.ts';
import { pipelines } from './generated.ts';

/** A file of pipelines/ as the command line compiles it. */
export function compilePipeline(file: string, profile?: string, pipeline?: string): Compiled {
  const text = readFileSync(join(pipelines, file), 'utf8');
  return compile(
    { path: file, text },
    { catalog, ...(profile !== undefined && { profile }), ...(pipeline !== undefined && { pipeline }) },
  );
}

/** What a stage of a file reads. */
function dataOf(file: string, stage: string): DataExpression {
  const job = compilePipeline(file).graph?.jobs.find(({ id }) => id === stage);
  if (job === undefined) throw new Error(`${file} has no stage ${stage}`);
  return Object.values(job.data)[0]!;
}

export async function rowsOf(file: string, stage: string, split: Split): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of openData(dataOf(file, stage), { root: pipelines, split })) rows.push(row);
  return rows;
}
