import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataExpression } from '../../compiler/graph/graph.ts';
import { DataError } from './data-error.ts';

const sourceOf: Readonly<Record<string, string>> = { txt: 'text', jsonl: 'jsonl', csv: 'csv' };

/**
 * What a stage that names no data reads: the one file `data/<stage>.{txt,jsonl,csv}` beside the pipeline. Other
 * expressions come back as they are.
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
  const tried = Object.keys(sourceOf).map((ending) => `${stage}.${ending}`);
  const found = tried.filter((name) => present.has(name));
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
  const name = sourceOf[found[0]!.split('.').at(-1)!]!;
  return { ...expression, source: { name, options: { path: `data/${found[0]}` }, inputs: [] } };
}
