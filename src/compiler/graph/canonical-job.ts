/** What of a job decides its result: the compiler's part of a content key. No names, spans, comments, labels. */
import type { CallEntry, Catalog, Json } from '../catalog.ts';
import type { DataExpression, Job, Options } from './graph.ts';

/**
 * Equal for jobs that compute the same from the same inputs. Left out are cosmetic options, labels, names of data
 * items and the paths that sources read: the runtime adds digests of what the files hold and of the inputs, in the
 * order of `job.inputs`. Conditions name the input they ask by its index there.
 */
export function canonicalJob(job: Job, catalog: Catalog): Json {
  const stage = catalog.stages[job.kind];
  return sorted({
    kind: job.kind,
    options: significant(job.options, stage),
    method: job.method === undefined ? null : call(job.method, catalog.methods),
    model: job.model === undefined ? null : call(job.model, catalog.models),
    data: Object.fromEntries(
      Object.entries(job.data).map(([option, rows]) => [option, canonicalRows(rows, catalog)]),
    ),
    template: job.template ?? null,
    conditions: job.conditions.map(({ job: maker, metric, comparison, value }) => ({
      input: job.inputs.findIndex(({ slot, from }) => slot === 'metrics' && from === maker),
      metric,
      comparison,
      value,
    })),
  });
}

function canonicalRows({ source, operators }: DataExpression, catalog: Catalog): Json {
  return {
    source: call(source, catalog.sources),
    inputs: source.inputs.map((input) => canonicalRows(input, catalog)),
    operators: operators.map((operator) => call(operator, catalog.operators)),
  };
}

function call(
  { name, options }: { readonly name: string; readonly options: Options },
  table: { readonly [name: string]: CallEntry },
): { [key: string]: Json } {
  return { name, options: significant(options, table[name]) };
}

function significant(options: Options, entry: CallEntry | undefined): { [name: string]: Json } {
  const kept = Object.entries(options).filter(([name]) => {
    const schema = entry?.options[name];
    return schema?.cosmetic !== true && schema?.path !== 'read';
  });
  return Object.fromEntries(kept);
}

/** The same value with the keys of every object in order, so that its JSON text is canonical. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(
    keys.map((key) => [key, sorted((value as { readonly [key: string]: Json })[key]!)]),
  );
}
