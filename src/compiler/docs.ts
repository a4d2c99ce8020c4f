/** `ftc docs [NAME]`: the language's reference, made from the catalog, so that it cannot drift from what is checked. */
import type { CallEntry, Catalog, OptionSchema, StageEntry } from './catalog.ts';
import { legalUnits } from './checked/units.ts';
import { displayWidth } from './source/width.ts';

const groups = [
  ['stages', 'stage'],
  ['methods', 'method'],
  ['optimizers', 'optimizer'],
  ['models', 'model'],
  ['sources', 'source'],
  ['operators', 'operator'],
] as const satisfies readonly (readonly [keyof Catalog, string])[];

/** Everything the language can name. */
export const documentedNames = (catalog: Catalog): string[] =>
  groups.flatMap(([group]) => Object.keys(catalog[group]));

/** Text for people: an overview without a name; `undefined` where nothing has this name. */
export function docs(name: string | undefined, catalog: Catalog): string | undefined {
  if (name === undefined) return overview(catalog);
  const found = groups.flatMap(([group, kind]) => {
    const table: { readonly [name: string]: CallEntry } = catalog[group];
    return Object.hasOwn(table, name) ? [reference(table[name]!, kind, catalog)] : [];
  });
  return found.length === 0 ? undefined : found.join('\n');
}

function overview(catalog: Catalog): string {
  const parts = groups.map(([group]) => {
    const entries: CallEntry[] = Object.values(catalog[group]);
    return `${group}\n${columns(entries.map(({ name, summary }) => [`  ${name}`, summary]))}`;
  });
  return `${parts.join('\n\n')}\n\n\`ftc docs NAME\` has the options, defaults and an example of each.\n`;
}

function reference(entry: CallEntry, kind: string, catalog: Catalog): string {
  const options = Object.entries(entry.options);
  const required = new Set(entry.required);
  const rows = options.map(([name, schema]) => [
    `  ${name}`,
    describeType(schema),
    describeDefault(schema, required.has(name)),
    schema.description,
  ]);
  return [
    `${entry.name}: ${kind}`,
    `${entry.summary}`,
    '',
    ...(entry.details === undefined ? [] : [entry.details.trim(), '']),
    `example\n  ${entry.example.trim().replaceAll('\n', '\n  ')}`,
    '',
    ...(options.length === 0 ? ['it takes no options'] : [`options\n${columns(rows)}`]),
    ...('methods' in entry ? stageLines(entry as StageEntry) : []),
    ...(kind === 'method' ? ['', `used by: ${hosts(entry.name, catalog)}`] : []),
    ...(kind === 'optimizer' ? ['', `used by: ${choosers('optimizer', catalog)}`] : []),
    '',
  ].join('\n');
}

function stageLines({
  methods,
  defaultMethod,
  reads,
  writes,
  metrics,
  data,
  conditions,
}: StageEntry): string[] {
  const named = methods.map((method) => (method === defaultMethod ? `${method} (default)` : method));
  const read = reads.map(({ slot, required }) => (required ? slot : `${slot} (if there)`));
  return [
    '',
    ...(named.length > 0 ? [`methods: ${named.join(', ')}`] : []),
    ...(data === undefined ? [] : [`rows (${data.option}): ${data.rows}`]),
    `reads: ${read.join(', ') || 'nothing'}`,
    `writes: ${writes.join(', ') || 'nothing'}`,
    ...(metrics.length > 0 ? [`metrics for gates: ${metrics.join(', ')}`] : []),
    ...(conditions ? ['takes conditions: `label.metric >= number`'] : []),
  ];
}

const hosts = (method: string, { stages }: Catalog): string =>
  Object.values(stages)
    .flatMap(({ name, methods }) => (methods.includes(method) ? [name] : []))
    .join(', ') || 'no stage';

/** Stages with this option. */
const choosers = (option: string, { stages }: Catalog): string =>
  Object.values(stages)
    .flatMap(({ name, options }) => (Object.hasOwn(options, option) ? [name] : []))
    .join(', ');

function describeType(schema: OptionSchema): string {
  if (schema.refers !== undefined) return schema.type === 'array' ? `${schema.refers}, …` : schema.refers;
  const { items } = schema;
  const each = schema.type === 'array' ? items : schema;
  const choices = each?.enum?.join('|');
  const base =
    choices ??
    { number: 'number', integer: 'whole number', string: 'text', boolean: 'true|false', array: 'list' }[
      each?.type ?? 'string'
    ];
  const units = schema.unit === undefined ? [] : legalUnits(schema.unit).filter((name) => name.length < 4);
  return `${base}${schema.type === 'array' ? ',…' : ''}${bounds(schema)}${units.length > 0 ? ` [${units.join(' ')}]` : ''}`;
}

function bounds(schema: OptionSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, powerOfTwo } = schema;
  const parts = [
    ...(powerOfTwo === undefined ? [] : ['2ⁿ']),
    ...(minimum === undefined ? [] : [`≥ ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`> ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`≤ ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`< ${exclusiveMaximum}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

function describeDefault(
  { default: value, defaultNote, defaultFromParam }: OptionSchema,
  isRequired: boolean,
): string {
  if (isRequired) return 'required';
  const shown =
    value === undefined ? (defaultNote ?? '') : Array.isArray(value) ? value.join(',') : String(value);
  return defaultFromParam === undefined ? shown : `$${defaultFromParam}, else ${shown}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, displayWidth(cell));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell + ' '.repeat(widths[at]! - displayWidth(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
