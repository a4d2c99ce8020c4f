/** Content keys: what a job's result depends on, as one hash. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { canonicalJob } from '../../compiler/graph/canonical-job.ts';
import type { DataExpression, Job } from '../../compiler/graph/graph.ts';
import { catalog } from '../catalog.ts';
import { resolveConvention } from '../data/convention.ts';
import { digestData } from '../data/digest-data.ts';
import { canonicalJson } from '../data/row-hash.ts';
import { modelDigest } from './existing-model.ts';

/** Raised when a change of ftc alters what stages compute, so that old results are not taken for new ones. */
export const NUMERICS = 9;

export interface KeyParts {
  /** The job without names, places and cosmetic options (`canonicalJob`). */
  readonly job: Json;
  /** Keys of the jobs whose outputs it reads, by slot; of metrics there may be several, numbered. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Digests of the data it reads, by option. */
  readonly data: Readonly<Record<string, string>>;
  readonly executable: string;
}

export function contentKey(parts: KeyParts): string {
  return `sha256:${createHash('sha256')
    .update(canonicalJson({ ...parts, numerics: NUMERICS }))
    .digest('hex')}`;
}

/**
 * What a job's key is made of now: its options, its data as they lie on the disk, the keys of the jobs before it.
 * `root` is the directory of the pipeline file. Errors: DataError for data that is not there.
 */
export async function keyParts(job: Job, root: string, keyOf: (job: string) => string): Promise<KeyParts> {
  const data: Record<string, string> = {};
  const resolved: Record<string, DataExpression> = {};
  for (const [option, expression] of Object.entries(job.data)) {
    // A file found by convention and the same file named are the same rows.
    resolved[option] = withDefaults(await resolveConvention(expression, join(root, expression.directory)));
    data[option] = (await digestData(resolved[option], root)).sha256;
  }
  if (job.kind === 'open') data.model = await modelDigest(job, root);
  const inputs = Object.fromEntries(
    job.inputs.map(({ slot, from }, i) => [slot === 'metrics' ? `metrics.${i}` : slot, keyOf(from)]),
  );
  return { job: canonicalJob({ ...job, data: resolved }, catalog), inputs, data, executable: 'onnx' };
}

/** The source's options as the compiler fills them in where a source is named. */
function withDefaults(expression: DataExpression): DataExpression {
  const { source } = expression;
  const schemas = Object.entries(catalog.sources[source.name]?.options ?? {});
  const defaults = schemas.flatMap(([name, schema]) =>
    schema.default === undefined ? [] : [[name, schema.default] as const],
  );
  return {
    ...expression,
    source: { ...source, options: { ...Object.fromEntries(defaults), ...source.options } },
  };
}
