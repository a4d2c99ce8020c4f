import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Objects } from './objects.ts';
import { fileNameOf, type Results } from './results.ts';
import type { Runs } from './runs.ts';
import { StoreError } from './store-error.ts';

export interface CleanOptions {
  /** So many of the newest runs are kept, … */
  readonly keepRuns: number;
  /** … and these. */
  readonly keep?: readonly string[];
  /** Says what would go, and removes nothing. */
  readonly dryRun?: boolean;
}

export interface CleanReport {
  readonly runs: readonly string[];
  /** Hashes of artifacts. */
  readonly artifacts: readonly string[];
  /** Checkpoints of work that no kept run plans. */
  readonly work: readonly string[];
  /** Passes over data that plans kept. */
  readonly passes: number;
  readonly bytes: number;
}

interface Parts {
  readonly store: string;
  readonly objects: Objects;
  readonly results: Results;
  readonly runs: Runs;
}

/**
 * Removes what no kept run needs: older runs, results and artifacts that none of the kept ones finished or planned
 * (an artifact's base counts as needed), checkpoints of anything else; and artifacts whose bytes are damaged.
 */
export async function clean(
  { store, objects, results, runs }: Parts,
  options: CleanOptions,
): Promise<CleanReport> {
  const all = await runs.all();
  const kept = all.filter(({ id }, i) => i < options.keepRuns || options.keep?.includes(id));
  const dropped = all.filter((run) => !kept.includes(run)).map(({ id }) => id);
  const keys = new Set<string>();
  const needed = new Set<string>();
  for (const run of kept) {
    for (const { key, artifacts } of Object.values(run.stages)) {
      keys.add(key);
      for (const hash of Object.values(artifacts)) needed.add(hash);
    }
    for (const key of await runs.plannedKeys(run.id)) keys.add(key);
  }
  const everyResult = await results.all();
  const idle = everyResult.filter(({ key }) => !keys.has(key));
  for (const { key, artifacts } of everyResult) {
    if (keys.has(key)) for (const hash of Object.values(artifacts)) needed.add(hash);
  }
  for (const hash of needed) {
    const base = await objects.baseOf(hash);
    if (base !== undefined) needed.add(base);
  }
  const artifacts = objects.list().filter((hash) => !needed.has(hash) || isDamaged(objects, hash));
  const work = await idleWork(join(store, 'work'), keys);
  const paths = [
    ...dropped.map((id) => runs.path(id)),
    ...artifacts.map((hash) => objects.path(hash)),
    ...work.map((name) => join(store, 'work', name)),
    // What plans found in large data: it is found again.
    join(store, 'passes'),
  ];
  const passes = (await readdir(join(store, 'passes')).catch(() => [])).length;
  let bytes = 0;
  for (const path of paths) bytes += await sizeOf(path);
  if (options.dryRun !== true) {
    // Results first: a result whose artifact is gone would be found and fail.
    for (const { key } of idle) await results.remove(key);
    for (const path of paths) await rm(path, { recursive: true, force: true });
  }
  return { runs: dropped, artifacts, work, passes, bytes };
}

function isDamaged(objects: Objects, hash: string): boolean {
  try {
    objects.open(hash);
    return false;
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'damaged') return true;
    throw error;
  }
}

async function idleWork(directory: string, keys: ReadonlySet<string>): Promise<string[]> {
  if (!existsSync(directory)) return [];
  const names = new Set([...keys].map(fileNameOf));
  return (await readdir(directory)).filter((name) => !names.has(name)).sort();
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries)
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
