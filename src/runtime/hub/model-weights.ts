/** Which files hold the weights of a snapshot. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryCache } from './cache.ts';
import { checkFileName } from './check-names.ts';
import { HubError } from './hub-error.ts';
import { WEIGHTS_INDEX, WHOLE_WEIGHTS } from './wanted-files.ts';

/**
 * The shards that the index names, or the files that hold all; none where there are none.
 * @param files those of the commit; the index is in its snapshot by now, where it is among them
 * @throws HubError `bad-answer` for an index that is none
 */
export async function weightFiles(
  files: readonly string[],
  cache: RepositoryCache,
  commit: string,
): Promise<readonly string[]> {
  if (!files.includes(WEIGHTS_INDEX)) return WHOLE_WEIGHTS.filter((file) => files.includes(file));
  const text = await readFile(join(cache.snapshot(commit), WEIGHTS_INDEX), 'utf8');
  const shards = shardsOf(text);
  for (const shard of shards) checkFileName(shard, WEIGHTS_INDEX);
  return shards;
}

function shardsOf(text: string): readonly string[] {
  try {
    const { weight_map } = JSON.parse(text) as {
      readonly weight_map: { readonly [tensor: string]: unknown };
    };
    const shards = new Set(Object.values(weight_map));
    if (shards.size > 0 && [...shards].every((s) => typeof s === 'string' && s.endsWith('.safetensors')))
      return [...shards] as string[];
  } catch {
    // Not JSON, or without a map: said below.
  }
  throw new HubError('bad-answer', `${WEIGHTS_INDEX} does not say which safetensors files hold the weights`);
}

/** The first file that a model needs and its snapshot lacks. */
export async function missingFile(
  cache: RepositoryCache,
  commit: string,
  withWeights: boolean,
): Promise<string | undefined> {
  const has = async (file: string): Promise<boolean> => (await cache.size(commit, file)) !== undefined;
  if (!(await has('config.json')) && !(await has('adapter_config.json'))) return 'config.json';
  if (!withWeights) return undefined;
  const there: string[] = [];
  for (const file of [WEIGHTS_INDEX, ...WHOLE_WEIGHTS]) if (await has(file)) there.push(file);
  const weights = await weightFiles(there, cache, commit);
  if (weights.length === 0) return WHOLE_WEIGHTS[0];
  for (const file of weights) if (!(await has(file))) return file;
  return undefined;
}
