/** A plan as people read it: what would run and why, what it costs, and every default that was filled in. */
import { displayWidth } from '../compiler/source/width.ts';
import type { StageAction } from '../runtime/run/events.ts';
import type { Plan, PlannedStage } from '../runtime/run/plan-types.ts';
import { padDisplay, truncateDisplay } from './fit-text.ts';
import { formatBytes, formatCount, formatRange, formatShortCount } from './format-numbers.ts';
import { memoryBar } from './memory-bar.ts';
import type { Style } from './style.ts';

export interface PlanTableOptions {
  readonly style: Style;
  readonly columns: number;
}

const signs: {
  readonly [action in StageAction]: {
    readonly sign: string;
    readonly color: 'green' | 'cyan' | 'yellow' | 'red';
  };
} = {
  cached: { sign: '=', color: 'green' },
  run: { sign: '⟳', color: 'cyan' },
  resume: { sign: '↻', color: 'yellow' },
  blocked: { sign: '✗', color: 'red' },
};

export function planTable(plan: Plan, { style, columns }: PlanTableOptions): string {
  return [
    headline(plan, style),
    '',
    ...stageTable(plan.stages, columns, style),
    '',
    ...costTable(plan, style),
    ...memoryBar(plan, { style, columns }),
    ...notes(plan, style),
    ...defaultsTable(plan, columns, style),
  ].join('\n');
}

function headline({ pipeline, has_changes, totals, stages }: Plan, style: Style): string {
  const cached = stages.filter(({ action }) => action === 'cached').length;
  const blocked = stages.filter(({ action }) => action === 'blocked').length;
  const words = [
    has_changes ? `${totals.stages_to_run} to run` : 'nothing to run',
    ...(cached > 0 ? [`${cached} cached`] : []),
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(has_changes ? [`about ${formatRange(totals.seconds)}`] : []),
  ];
  return `${style.bold(pipeline)}: ${words.join(', ')}`;
}

function stageTable(stages: readonly PlannedStage[], columns: number, style: Style): readonly string[] {
  const nameWidth = Math.max(...stages.map(({ id }) => displayWidth(id)));
  const what = stages.map(({ kind, method, id }) =>
    method === undefined ? (kind === id ? '' : kind) : kind === id ? method : `${kind} ${method}`,
  );
  const whatWidth = Math.max(...what.map(displayWidth));
  const actions = stages.map(({ action, from_step }) =>
    action === 'resume' ? `resume at step ${from_step ?? 0}` : action,
  );
  const actionWidth = Math.max(...actions.map(displayWidth));
  return stages.map(({ action, id, reason }, i) => {
    const { sign, color } = signs[action];
    const used = 2 + 2 + nameWidth + 2 + whatWidth + 2 + actionWidth + 2;
    return [
      `  ${style[color](sign)} ${style.bold(padDisplay(id, nameWidth))}`,
      style.dim(padDisplay(what[i]!, whatWidth)),
      style[color](padDisplay(actions[i]!, actionWidth)),
      truncateDisplay(reason, Math.max(24, columns - used)),
    ]
      .join('  ')
      .trimEnd();
  });
}

/** Numbers, right-aligned under their names. */
function costTable({ stages, totals }: Plan, style: Style): readonly string[] {
  const header = ['', 'parameters', 'trainable', '%', 'steps', 'tokens', 'peak memory', 'disk', 'time'];
  const rows = stages.map(({ id, parameters, steps, tokens, peak_memory_bytes, disk_bytes, seconds }) => [
    id,
    parameters === undefined ? '–' : formatShortCount(parameters.total),
    parameters === undefined ? '–' : formatShortCount(parameters.trainable),
    parameters === undefined || parameters.total === 0
      ? '–'
      : formatPercent(parameters.trainable / parameters.total),
    steps === 0 ? '–' : formatCount(steps),
    tokens === 0 ? '–' : formatShortCount(tokens),
    peak_memory_bytes === 0 ? '–' : formatBytes(peak_memory_bytes),
    disk_bytes === 0 ? '–' : formatBytes(disk_bytes),
    formatRange(seconds),
  ]);
  const total = [
    'to run',
    '',
    '',
    '',
    formatCount(totals.steps),
    formatShortCount(totals.tokens),
    formatBytes(totals.peak_memory_bytes),
    formatBytes(totals.disk_bytes),
    formatRange(totals.seconds),
  ];
  const widths = header.map((_, i) =>
    Math.max(...[header, ...rows, total].map((row) => displayWidth(row[i]!))),
  );
  const line = (row: readonly string[]) =>
    `    ${row.map((cell, i) => padDisplay(cell, widths[i]!, i === 0 ? 'left' : 'right')).join('  ')}`.trimEnd();
  return [
    style.dim(line(header)),
    ...rows.map(line),
    ...(totals.stages_to_run > 0 ? [style.bold(line(total))] : []),
  ];
}

function notes({ stages }: Plan, style: Style): readonly string[] {
  const lines = stages.flatMap(({ id, notes: all }) => all.map((note) => `  ${style.bold(id)}: ${note}`));
  return lines.length === 0 ? [] : ['', ...lines];
}

/** Every default with where it comes from: by stage and origin, as many to a line as fit. */
function defaultsTable({ stages }: Plan, columns: number, style: Style): readonly string[] {
  const rows = stages.flatMap(({ id, defaults }) => {
    const origins = [...new Set(defaults.map(({ from }) => from))];
    return origins.map((origin, i) => ({
      id: i === 0 ? id : '',
      from: origin,
      values: defaults
        .filter(({ from }) => from === origin)
        .map(({ path, value }) => `${withoutPrefix(path, `${id}.`)}=${written(value)}`),
    }));
  });
  if (rows.length === 0) return [];
  const idWidth = Math.max(...rows.map(({ id }) => displayWidth(id)));
  const fromWidth = Math.min(28, Math.max(...rows.map(({ from }) => displayWidth(from))));
  const room = Math.max(24, columns - idWidth - fromWidth - 8);
  return [
    '',
    style.dim('  defaults'),
    ...rows.flatMap(({ id, from, values }) => {
      const origin = wrapped(from.split(' '), fromWidth, ' ');
      const lines = wrapped(values, room, '  ');
      return Array.from({ length: Math.max(origin.length, lines.length) }, (_, i) => {
        const left = `    ${style.bold(padDisplay(i === 0 ? id : '', idWidth))}  `;
        return `${left}${style.dim(padDisplay(origin[i] ?? '', fromWidth))}  ${lines[i] ?? ''}`.trimEnd();
      });
    }),
  ];
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

/** A value as a file would write it; words that need quotes get them. */
function written(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const flat = truncateDisplay(value.replace(/\s+/g, ' '), 48);
  return /\s/.test(flat) ? `"${flat}"` : flat;
}

/** Words joined by `gap` into lines of at most `room` columns; a longer word has a line of its own. */
function wrapped(words: readonly string[], room: number, gap: string): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + gap.length + displayWidth(word) <= room)
      lines[lines.length - 1] = `${last}${gap}${word}`;
    else lines.push(word);
  }
  return lines;
}

function formatPercent(share: number): string {
  const percent = share * 100;
  return percent === 0 || percent >= 99.95 ? `${Math.round(percent)}` : percent.toFixed(percent < 1 ? 2 : 1);
}
