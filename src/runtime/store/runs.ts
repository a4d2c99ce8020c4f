import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';
import { readJson } from './results.ts';
import { StoreError, storeError } from './store-error.ts';

export type RunStatus = 'ok' | 'failed' | 'gate_failed' | 'stopped';

export interface RunInfo {
  readonly id: string;
  readonly pipeline: string;
  /** The pipeline file. */
  readonly file: string;
  /** ISO 8601. */
  readonly started: string;
  readonly finished?: string;
  /** `unfinished`: it is running, or it was killed. */
  readonly status: RunStatus | 'unfinished';
  /** Finished jobs by label, in the order in which they finished. */
  readonly stages: Readonly<
    Record<string, { readonly key: string; readonly artifacts: Readonly<Record<string, string>> }>
  >;
}

export interface BeginRun {
  readonly id: string;
  readonly pipeline: string;
  readonly file: string;
  /** JSON; kept as `plan.json`. */
  readonly plan: unknown;
}

/** A run being recorded in `.ftc/runs/ID/`. */
export interface RunRecord {
  readonly directory: string;
  /** Appends a line to events.jsonl. @throws StoreError `disk-full` */
  event(event: unknown): void;
  /** Appends to log.txt. @throws StoreError `disk-full` */
  log(text: string): void;
  /** Notes a finished job and links its artifacts as `artifacts/<stage>.<slot>`. */
  link(stage: string, key: string, artifacts: Readonly<Record<string, string>>): Promise<void>;
  end(status: RunStatus): Promise<void>;
}

export class Runs {
  readonly directory: string;
  private readonly objectPath: (hash: string) => string;

  constructor(store: string, objectPath: (hash: string) => string) {
    this.directory = join(store, 'runs');
    this.objectPath = objectPath;
  }

  async begin({ id, pipeline, file, plan }: BeginRun): Promise<RunRecord> {
    const directory = this.path(id);
    let info: RunInfo = {
      id,
      pipeline,
      file,
      started: new Date().toISOString(),
      status: 'unfinished',
      stages: {},
    };
    const save = () => writeFileAtomically(join(directory, 'run.json'), `${JSON.stringify(info, null, 1)}\n`);
    await save();
    await writeFileAtomically(join(directory, 'plan.json'), `${JSON.stringify(plan, null, 1)}\n`);
    const events = new Appender(join(directory, 'events.jsonl'));
    const log = new Appender(join(directory, 'log.txt'));
    return {
      directory,
      event: (event) => events.write(`${JSON.stringify(event)}\n`),
      log: (text) => log.write(text.endsWith('\n') ? text : `${text}\n`),
      link: async (stage, key, artifacts) => {
        info = { ...info, stages: { ...info.stages, [stage]: { key, artifacts } } };
        await save();
        for (const [slot, hash] of Object.entries(artifacts)) {
          await linkTo(join(directory, 'artifacts', `${stage}.${slot}`), this.objectPath(hash));
        }
      },
      end: async (status) => {
        events.close();
        log.close();
        info = { ...info, status, finished: new Date().toISOString() };
        await save();
      },
    };
  }

  /** The newest first. */
  async all(): Promise<RunInfo[]> {
    if (!existsSync(this.directory)) return [];
    const infos = await Promise.all((await readdir(this.directory)).map((id) => this.read(id)));
    return infos
      .filter((info) => info !== undefined)
      .sort((a, b) => (a.started === b.started ? (a.id < b.id ? 1 : -1) : a.started < b.started ? 1 : -1));
  }

  async read(id: string): Promise<RunInfo | undefined> {
    return readJson<RunInfo>(join(this.path(id), 'run.json'));
  }

  /** Content keys that its plan names. */
  async plannedKeys(id: string): Promise<string[]> {
    const plan = await readJson<{ stages?: readonly { key?: unknown }[] }>(join(this.path(id), 'plan.json'));
    return (plan?.stages ?? []).flatMap(({ key }) => (typeof key === 'string' && key !== '' ? [key] : []));
  }

  async remove(id: string): Promise<void> {
    await rm(this.path(id), { recursive: true, force: true });
  }

  path(id: string): string {
    if (!/^[\w.-]+$/.test(id) || /^\.+$/.test(id))
      throw new StoreError('misuse', this.directory, `"${id}" is no run`);
    return join(this.directory, id);
  }
}

/** Appends to a file that is opened at the first write. */
class Appender {
  private readonly path: string;
  private file: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  write(text: string): void {
    try {
      if (this.file === undefined) {
        mkdirSync(join(this.path, '..'), { recursive: true });
        this.file = openSync(this.path, 'a');
      }
      writeSync(this.file, text);
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}

/** A link, or where the system allows none, a file that holds the path. */
async function linkTo(path: string, target: string): Promise<void> {
  const directory = join(path, '..');
  await mkdir(directory, { recursive: true });
  await rm(path, { force: true });
  const to = relative(directory, target);
  await symlink(to, path).catch(() => writeFile(path, `${to}\n`));
}
