import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataExpression } from '../../compiler/graph/graph.ts';
import { DataError } from './data-error.ts';

import { formatOf, formats, packedEndings } from './formats.ts';

/**
 * What a stage that names no data reads: the one file `data/<stage>.{txt,jsonl,json,csv,tsv,parquet}` beside the pipeline,
 * packed or not. Other expressions come back as they are.
 * @throws DataError `no-convention-data` that lists what was looked for, or the several files that were found
 */
export async function resolveConvention(
  expression: DataExpression,
  directory: string,
): Promise<DataExpression> {
  const { source } = expression;
  if (source.name !== 'convention') return expression;
  const stage = String(source.options.stage);
  const present = new Set(await readdir(join(directory, 'data')).catch(() => []));
  const tried = Object.keys(formats).map((ending) => `${stage}.${ending}`);
  const packed = packedEndings.flatMap((packing) => tried.map((name) => `${name}.${packing}`));
  const found = [...tried, ...packed].filter((name) => present.has(name));
  if (found.length !== 1) {
    const why =
      found.length > 1 ? `${found.length} files fit: ${found.map((name) => `data/${name}`).join(', ')}` : '';
    if (why !== '')
      throw new DataError('stage-failed', {
        stage,
        why,
        help: [`name the one that is meant: \`${stage}(data=…)\``],
      });
    throw new DataError('no-convention-data', { stage, tried: tried.map((name) => `data/${name}`) });
  }
  const name = formatOf(found[0]!)!.source;
  return { ...expression, source: { name, options: { path: `data/${found[0]}` }, inputs: [] } };
}
