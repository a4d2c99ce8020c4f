/** Content keys: what a job's result depends on, as one hash. */
import { createHash } from 'node:crypto';
import type { Json } from '../../compiler/catalog.ts';

/** Raised when a change of ftc alters what stages compute, so that old results are not taken for new ones. */
export const NUMERICS = 1;

export interface KeyParts {
  /** The job without names, places and cosmetic options (`canonicalJob`). */
  readonly job: Json;
  /** Keys of the jobs whose outputs it reads, by slot; for a gate by job. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Digests of the data it reads, by option. */
  readonly data: Readonly<Record<string, string>>;
  readonly executable: string;
}

/** JSON with sorted keys: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${fields.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

export function contentKey(parts: KeyParts): string {
  return `sha256:${createHash('sha256')
    .update(canonicalJson({ ...parts, numerics: NUMERICS }))
    .digest('hex')}`;
}
