/** Why a stage runs again: what differs between the key it was last run under and the one it has now. */
import type { Json } from '../../compiler/catalog.ts';
import type { Job, Span } from '../../compiler/graph/graph.ts';
import { type KeyParts, NUMERICS } from './keys.ts';

export interface Difference {
  /** `options.lr`, `data.data`, `inputs.policy`. */
  readonly path: string;
  readonly before: Json | undefined;
  readonly now: Json | undefined;
}

/** Every leaf that differs, options first. */
export function differences(before: KeyParts, now: KeyParts): Difference[] {
  const found: Difference[] = [];
  compare(before.job, now.job, '', found);
  compare(before.data, now.data, 'data', found);
  compare(before.inputs, now.inputs, 'inputs', found);
  compare(before.executable, now.executable, 'executable', found);
  return found;
}

function compare(before: Json | undefined, now: Json | undefined, path: string, found: Difference[]): void {
  if (isRecord(before) && isRecord(now)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)]))
      compare(before[key], now[key], path === '' ? key : `${path}.${key}`, found);
  } else if (JSON.stringify(before) !== JSON.stringify(now)) found.push({ path, before, now });
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/**
 * The earlier run of a stage to compare with: the one that differs least, the first of several. Pipelines that share a
 * store use the same labels, and a run of another one says nothing about what was changed here.
 */
export function nearestParts(earlier: readonly KeyParts[], now: KeyParts): KeyParts | undefined {
  let nearest: KeyParts | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const before of earlier) {
    const count = differences(before, now).length;
    if (count < fewest) [nearest, fewest] = [before, count];
  }
  return nearest;
}

/** One line for the plan: `lr 0.0001 → 0.0002 (medical.ftp:13)`. */
export function differenceOf(before: KeyParts, now: KeyParts, job: Job): string {
  const all = differences(before, now);
  // What the text says goes before defaults that follow from it (alpha from r).
  const first = all.find(({ path }) => writtenAt(path, job)) ?? all[0];
  if (!first) return `ftc computes this stage differently since (numerics ${NUMERICS})`;
  const more = all.length > 1 ? `, and ${all.length - 1} more` : '';
  return describe(first, job) + more;
}

/** Where the text gives this option; undefined for defaults, inputs and rows. */
function writtenAt(path: string, job: Job): Span | undefined {
  const [group, ...rest] = path.split('.');
  const isOption = group !== 'inputs' && group !== 'data' && group !== 'executable';
  return isOption ? job.spans[rest.at(-1) ?? group!] : undefined;
}

function describe({ path, before, now }: Difference, job: Job): string {
  const [group, ...rest] = path.split('.');
  const name = rest.join('.');
  if (group === 'inputs') return `\`${name}\` comes from a changed stage`;
  if (group === 'data' && rest.length === 1) return `the rows of \`${name}\` changed`;
  if (group === 'executable') return `runs on ${now}, was ${before}`;
  const option = rest.at(-1) ?? group!;
  const span = writtenAt(path, job) ?? job.span;
  // An override on the command line has no line of its own.
  const place = span.file.startsWith('--') ? span.file : `${span.file}:${span.line}`;
  return `${option} ${show(before)} → ${show(now)} (${place})`;
}

const show = (value: Json | undefined): string => {
  const text = value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
};
