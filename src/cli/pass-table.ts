/** The passes of a tensor program, as people read them and as programs do. */
import { displayWidth } from '../compiler/source/width.ts';
import type { ProgramSize } from '../runtime/run/program-size.ts';
import { padDisplay } from './fit-text.ts';
import { formatBytes, formatCount } from './format-numbers.ts';
import type { Style } from './style.ts';

export interface PassFigures {
  readonly name: string;
  readonly ensures: string;
  /** Absent for what was built before it was looked at. */
  readonly seconds?: number;
  /** Absent for the first. */
  readonly before?: ProgramSize;
  readonly after: ProgramSize;
}

const columns: readonly (readonly [string, (size: ProgramSize) => string])[] = [
  ['nodes', ({ nodes }) => formatCount(nodes)],
  ['parameters', ({ parameters }) => formatCount(parameters)],
  ['weights', ({ weightBytes }) => formatBytes(weightBytes)],
  ['alive at once', ({ activationBytes }) => formatBytes(activationBytes)],
];

/** One pass a line, `212 → 243` where it changed a number; then what each ensures. */
export function passTable(passes: readonly PassFigures[], { bold, dim }: Style): string {
  const header = ['pass', 'ms', ...columns.map(([name]) => name)];
  const rows = passes.map(({ name, seconds, before, after }) => [
    name,
    seconds === undefined ? '–' : (seconds * 1000).toFixed(1),
    ...columns.map(([, show]) => {
      const [from, to] = [before && show(before), show(after)];
      return from === undefined || from === to ? to : `${from} → ${to}`;
    }),
  ]);
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => displayWidth(row[i]!))));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => padDisplay(cell, widths[i]!, i === 0 ? 'left' : 'right')).join('  ');
  const known = new Map(passes.map(({ name, ensures }) => [name.replace(/:\d+$/, ''), ensures]));
  return [
    dim(line(header)),
    ...rows.map(line),
    '',
    ...[...known].map(([name, ensures]) => `${bold(padDisplay(name, widths[0]!))}  ${ensures}`),
  ].join('\n');
}

const sizeJson = ({ nodes, parameters, weightBytes, activationBytes }: ProgramSize) => ({
  nodes,
  parameters,
  weight_bytes: weightBytes,
  activation_bytes: activationBytes,
});

export function passJson(stage: string, passes: readonly PassFigures[]): string {
  return JSON.stringify({
    format_version: '1.0',
    stage,
    passes: passes.map(({ name, ensures, seconds, before, after }) => ({
      name,
      ensures,
      ...(seconds !== undefined && { seconds }),
      ...(before && { before: sizeJson(before) }),
      after: sizeJson(after),
    })),
  });
}
