/** Where a stage's peak memory comes from, as one bar of stacked parts with a legend; readable without colour. */
import type { Plan, PlannedMemoryPart, PlannedStage } from '../runtime/run/plan-types.ts';
import { padDisplay } from './fit-text.ts';
import { formatBytes } from './format-numbers.ts';
import type { Style } from './style.ts';

export interface MemoryBarOptions {
  readonly style: Style;
  readonly columns: number;
}

const INDENT = 4;
const WIDEST = 80;
/** What the parts are drawn with, the largest first. */
const SIGNS = ['█', '▓', '▒', '░', '=', '+', '-', ':', '~', '*', '%', '&'];
const FREE = '·';
/** Of the peak: smaller parts are told together. */
const SMALLEST = 0.005;
/** Where the peak is at least this part of the device's memory, the bar is as long as that. */
const WORTH_COMPARING = 1 / 3;

/** Of the stage that needs the most among those that would run, or of all where none would; nothing where none computes. */
export function memoryBar(plan: Plan, { style, columns }: MemoryBarOptions): readonly string[] {
  const running = plan.stages.filter(({ action }) => action === 'run' || action === 'resume');
  const among = (running.length > 0 ? running : plan.stages).filter(({ memory }) => memory !== undefined);
  const stage = among.reduce<PlannedStage | undefined>(
    (most, one) => (most && most.peak_memory_bytes >= one.peak_memory_bytes ? most : one),
    undefined,
  );
  if (!stage?.memory) return [];
  const { peak_bytes: peak, fits } = stage.memory;
  const device = plan.device_memory_bytes;
  const parts = withSmallOnes(stage.memory.parts, peak);
  const scale = device !== undefined && fits && peak >= WORTH_COMPARING * device ? device : peak;
  const width = Math.min(columns, WIDEST) - INDENT;
  const cells = cellsOf(
    parts.map(({ bytes }) => bytes),
    scale,
    width,
  );
  const bar = parts.map((_, i) => SIGNS[i]!.repeat(cells[i]!)).join('');
  const room =
    device === undefined
      ? ''
      : fits
        ? ` of ${formatBytes(device)}: fits`
        : `, and ${formatBytes(device)} are there: does not fit`;
  const inFormat = plan.device_numbers === undefined ? '' : ` in ${plan.device_numbers}`;
  const which = among.length > 1 ? ' needs the most,' : ' needs';
  return [
    '',
    `  ${style.dim('memory')}  ${style.bold(stage.id)}${which} ${formatBytes(peak)}${inFormat}${room}`,
    `${' '.repeat(INDENT)}${bar}${style.dim(FREE.repeat(scale > peak ? Math.max(0, width - bar.length) : 0))}`,
    ...(device === undefined || fits ? [] : [limit(device, peak, width)]),
    ...legend(parts, peak),
  ];
}

/** A mark under the bar where the device's memory ends. */
function limit(device: number, peak: number, width: number): string {
  const at = Math.round((device / peak) * width);
  const words = `${formatBytes(device)} are there`;
  const before = at - words.length - 1 > 0;
  const text = before ? `${words} ┘` : `└ ${words}`;
  return ' '.repeat(INDENT + (before ? at - text.length : Math.max(0, at - 1))) + text;
}

function withSmallOnes(parts: readonly PlannedMemoryPart[], peak: number): readonly PlannedMemoryPart[] {
  const large = parts.filter(({ bytes }) => bytes >= SMALLEST * peak).slice(0, SIGNS.length - 1);
  const rest = parts.filter((part) => !large.includes(part));
  if (rest.length < 2) return parts.slice(0, SIGNS.length);
  return [...large, { name: 'other', bytes: rest.reduce((n, { bytes }) => n + bytes, 0) }];
}

/** Whole cells that together are as long as the sum: what is left over by rounding down goes to the largest remainders. */
function cellsOf(bytes: readonly number[], scale: number, width: number): readonly number[] {
  const exact = bytes.map((n) => (n / scale) * width);
  const cells = exact.map(Math.floor);
  const total = Math.round(exact.reduce((a, b) => a + b, 0));
  const order = exact.map((_, i) => i).sort((a, b) => exact[b]! - cells[b]! - (exact[a]! - cells[a]!));
  for (let i = 0; cells.reduce((a, b) => a + b, 0) < total && i < order.length; i++) cells[order[i]!]!++;
  return cells;
}

/** In two columns. */
function legend(parts: readonly PlannedMemoryPart[], peak: number): readonly string[] {
  const names = Math.max(...parts.map(({ name }) => name.length));
  const entries = parts.map(
    ({ name, bytes }, i) =>
      `${SIGNS[i]} ${padDisplay(name, names)}  ${padDisplay(formatBytes(bytes), 7, 'right')} ${padDisplay(`${Math.round((100 * bytes) / peak)} %`, 5, 'right')}`,
  );
  const rows = Math.ceil(entries.length / 2);
  return Array.from({ length: rows }, (_, i) =>
    [' '.repeat(INDENT) + entries[i]!, entries[i + rows] ?? ''].join('    ').trimEnd(),
  );
}
