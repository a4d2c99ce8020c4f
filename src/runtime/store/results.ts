import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { StoreError } from './store-error.ts';

/** What a job's content key was made of, kept to tell later what has changed. */
export interface ResultParts {
  readonly job: Json;
  readonly inputs: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  readonly executable: string;
}

/** What a finished job left. */
export interface StoredResult {
  readonly key: string;
  /** The stage's label and kind when it ran; another pipeline may find the result by its key under other names. */
  readonly stage: string;
  readonly kind: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Slot → hash of the artifact. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly finished: string;
  /** What the run decided that a plan could not know, for people. */
  readonly notes?: readonly string[];
  readonly parts?: ResultParts;
}

/** The index from content keys to results: one small file each. */
export class Results {
  private readonly directory: string;

  constructor(store: string) {
    this.directory = join(store, 'results');
  }

  /** Undefined where there is none, or where its file cannot be read: the job runs again then. */
  async read(key: string): Promise<StoredResult | undefined> {
    return readJson<StoredResult>(this.path(key));
  }

  async write(result: StoredResult): Promise<void> {
    await writeFileAtomically(
      this.path(result.key),
      `${JSON.stringify(numbersAsWritten(result), null, 1)}\n`,
    );
  }

  async all(): Promise<StoredResult[]> {
    if (!existsSync(this.directory)) return [];
    const names = (await readdir(this.directory)).filter((name) => name.endsWith('.json')).sort();
    const results = await Promise.all(
      names.map((name) => readJson<StoredResult>(join(this.directory, name))),
    );
    return results.filter((result) => result !== undefined);
  }

  async remove(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  private path(key: string): string {
    return join(this.directory, `${fileNameOf(key)}.json`);
  }
}

/** A content key as a file name. @throws StoreError `misuse` where the key could leave the store */
export function fileNameOf(key: string): string {
  const name = key.replace(/^sha256:/, '');
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new StoreError('misuse', key, `"${key}" is no content key`);
  return name;
}

export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'), (_, value: unknown) =>
      typeof value === 'string' && value in notFinite ? notFinite[value] : value,
    ) as T;
  } catch {
    return undefined;
  }
}

/** JSON has no word for these; a metric may be one (the perplexity of a model that diverged). */
const notFinite: Readonly<Record<string, number>> = {
  '#NaN': Number.NaN,
  '#Infinity': Number.POSITIVE_INFINITY,
  '#-Infinity': Number.NEGATIVE_INFINITY,
};

function numbersAsWritten(result: StoredResult): unknown {
  const entries = Object.entries(result.metrics);
  return {
    ...result,
    metrics: Object.fromEntries(entries.map(([k, v]) => [k, Number.isFinite(v) ? v : `#${v}`])),
  };
}
