/** Everything ftc keeps between runs, in one directory (`.ftc` beside the pipeline file). */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';
import { type CleanOptions, type CleanReport, clean } from './clean.ts';
import { takeLock } from './lock.ts';
import { Objects } from './objects.ts';
import { fileNameOf, type ResultParts, Results, type StoredResult } from './results.ts';
import { type BeginRun, type RunInfo, type RunRecord, type RunStatus, Runs } from './runs.ts';
import { StoreError, storeError } from './store-error.ts';

export type { CleanOptions, CleanReport } from './clean.ts';
export type { StoredResult } from './results.ts';
export type { RunInfo, RunRecord, RunStatus } from './runs.ts';

/** Version of the layout; a store of another one is neither read nor written. */
const FORMAT = '1';

export interface PutResult {
  readonly stage: string;
  readonly kind: string;
  /** Slot → directory with the artifact; it is moved into the store. */
  readonly directories: ReadonlyMap<string, string>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly notes?: readonly string[];
  readonly parts?: ResultParts;
}

/**
 * Opens a store. For reading nothing is locked or written, and a directory that does not exist is an empty store; for
 * writing it is made where needed and locked until `close`.
 * @throws StoreError `other-version`, `in-use`, `disk-full`, `no-permission`
 */
export async function openStore(directory: string, { write }: { readonly write: boolean }): Promise<Store> {
  await checkVersion(directory);
  if (!write) return new Store(directory, undefined);
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw storeError(error, directory);
  }
  const unlock = await takeLock(directory);
  try {
    await checkVersion(directory);
    if (!existsSync(join(directory, 'version'))) {
      await writeFileAtomically(join(directory, '.gitignore'), '*\n');
      await writeFileAtomically(join(directory, 'version'), `${FORMAT}\n`);
    }
    // What a killed run left half made; nobody else writes while the lock is held.
    await rm(join(directory, 'temporary'), { recursive: true, force: true });
  } catch (error) {
    await unlock();
    throw error;
  }
  return new Store(directory, unlock);
}

export class Store {
  readonly directory: string;
  private readonly unlock: (() => Promise<void>) | undefined;
  private readonly objects: Objects;
  private readonly results: Results;
  private readonly recorded: Runs;
  private readonly open = new Map<string, RunRecord>();

  /** Use `openStore`. `unlock` is absent where the store is only read. */
  constructor(directory: string, unlock: (() => Promise<void>) | undefined) {
    this.directory = directory;
    this.unlock = unlock;
    this.objects = new Objects(directory);
    this.results = new Results(directory);
    this.recorded = new Runs(directory, (hash) => this.objects.path(hash));
  }

  /** The result of a job with this content key, if it and all its artifacts are there. */
  async find(key: string): Promise<StoredResult | undefined> {
    const result = await this.results.read(key);
    return result && Object.values(result.artifacts).every((hash) => this.objects.has(hash))
      ? result
      : undefined;
  }

  /** The results that stages of this label and kind left, whatever their keys; the newest first. */
  async earlier(stage: string, kind: string): Promise<StoredResult[]> {
    const own = (await this.results.all()).filter((result) => result.stage === stage && result.kind === kind);
    return own.sort((a, b) => (a.finished < b.finished ? 1 : -1));
  }

  /** Keeps what a job made. @returns slot → hash of the artifact */
  async put(
    key: string,
    { stage, kind, directories, metrics, notes = [], parts }: PutResult,
  ): Promise<Record<string, string>> {
    this.mustWrite();
    const artifacts: Record<string, string> = {};
    for (const [slot, directory] of directories) artifacts[slot] = await this.objects.put(directory);
    const finished = new Date().toISOString();
    await this.results.write({
      key,
      stage,
      kind,
      metrics,
      artifacts,
      finished,
      ...(notes.length > 0 && { notes }),
      ...(parts && { parts }),
    });
    return artifacts;
  }

  /** Directory of an artifact, its bytes checked once in a process. @throws StoreError `damaged` */
  artifact(hash: string): string {
    return this.objects.open(hash);
  }

  /** Where checkpoints of an unfinished job lie; it need not exist. */
  workPath(key: string): string {
    return join(this.directory, 'work', fileNameOf(key));
  }

  /** The same, made where it is missing. */
  async workDirectory(key: string): Promise<string> {
    this.mustWrite();
    return this.make(this.workPath(key));
  }

  async removeWork(key: string): Promise<void> {
    this.mustWrite();
    await rm(this.workPath(key), { recursive: true, force: true });
  }

  /** A new directory on the store's disk; what is left in it is gone when the store is next opened for writing. */
  async temporaryDirectory(): Promise<string> {
    this.mustWrite();
    return this.make(join(this.directory, 'temporary', randomBytes(6).toString('hex')));
  }

  /** From now on there is no result with this key, finished or not; its artifacts stay until `clean`. */
  async forget(key: string): Promise<void> {
    await this.removeWork(key);
    await this.results.remove(key);
  }

  async beginRun(run: BeginRun): Promise<RunRecord> {
    this.mustWrite();
    const record = await this.recorded.begin(run);
    this.open.set(run.id, record);
    return record;
  }

  /** Writes the last event and the status. */
  async endRun(id: string, end: { readonly status: RunStatus }): Promise<void> {
    const record = this.open.get(id);
    if (record === undefined) return;
    this.open.delete(id);
    record.event(end);
    await record.end(end.status);
  }

  /** Past runs, the newest first. */
  async runs(): Promise<RunInfo[]> {
    return this.recorded.all();
  }

  async run(id: string): Promise<RunInfo | undefined> {
    return this.recorded.read(id);
  }

  async clean(options: CleanOptions): Promise<CleanReport> {
    if (options.dryRun !== true) this.mustWrite();
    const { directory: store, objects, results, recorded: runs } = this;
    return clean({ store, objects, results, runs }, options);
  }

  /** Lets go of the lock. */
  async close(): Promise<void> {
    await this.unlock?.();
  }

  private async make(path: string): Promise<string> {
    try {
      await mkdir(path, { recursive: true });
      return path;
    } catch (error) {
      throw storeError(error, path);
    }
  }

  private mustWrite(): void {
    if (this.unlock === undefined) {
      throw new StoreError('misuse', this.directory, `the store ${this.directory} was opened for reading`);
    }
  }
}

async function checkVersion(directory: string): Promise<void> {
  const path = join(directory, 'version');
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw storeError(error, path);
  });
  if (found === undefined || found.trim() === FORMAT) return;
  throw new StoreError(
    'other-version',
    directory,
    `the store ${directory} has format ${found.trim().slice(0, 20)}, and this ftc reads format ${FORMAT}`,
    ['use the ftc that made it, or another store with `--store DIR`'],
  );
}
