/**
 * What paging saves: peak memory of an optimizer and of its paged form, each in a process of its own, as one JSON line.
 * `savedShare`: of the state's size, how much less memory the paged one takes.
 *
 *     node dist/bench/paging.js --elements 50000000 --steps 3
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { numbersFrom } from './measure.ts';

const { elements, steps } = numbersFrom({ elements: 50_000_000, steps: 3 });

function measure(optimizer: string): Record<'peakGb' | 'stateGb' | 'fileGb' | 'nanoseconds', number> {
  const script = join(import.meta.dirname, 'optimizers.js');
  const words = ['--optimizer', optimizer, '--elements', `${elements}`, '--steps', `${steps}`];
  return JSON.parse(execFileSync(process.execPath, [script, ...words], { encoding: 'utf8' }));
}

const pairs = [
  ['adamw', 'paged_adamw', ''],
  ['adam8bit', 'paged_adamw8bit', 'EightBit'],
] as const;
const figures = pairs.flatMap(([name, pagedName, suffix]) => {
  const [whole, paged] = [measure(name), measure(pagedName)];
  const saved = whole.peakGb - paged.peakGb;
  return Object.entries({
    stateGb: whole.stateGb,
    peakGb: whole.peakGb,
    pagedPeakGb: paged.peakGb,
    savedShare: Number((saved / whole.stateGb).toFixed(3)),
    slowdown: Number((paged.nanoseconds / whole.nanoseconds).toFixed(2)),
  }).map(([figure, value]) => [`${figure}${suffix}`, value]);
});
console.log(JSON.stringify({ elements, ...Object.fromEntries(figures) }));
