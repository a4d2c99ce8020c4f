/**
 * What computing the blocks again costs and saves: the same steps with and without, each in a process of its own.
 * npx tsc -p bench/tsconfig.json; node dist/bench/recompute.js --lora 1 --batch 8
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

type Step = { readonly losses: string } & Readonly<Record<'peakGb' | 'medianMs' | 'processorMs', number>>;

async function measure(recompute: number): Promise<Step> {
  const script = join(import.meta.dirname, 'recompute-step.js');
  const words = [script, ...process.argv.slice(2), '--recompute', String(recompute)];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as Step;
}

const kept = await measure(0);
const again = await measure(1);
const ratio = (of: 'peakGb' | 'medianMs' | 'processorMs') => Number((again[of] / kept[of]).toFixed(3));
console.log(
  JSON.stringify({
    memoryOfKept: ratio('peakGb'),
    timeOfKept: ratio('medianMs'),
    processorOfKept: ratio('processorMs'),
    sameLosses: Number(again.losses === kept.losses),
    keptGb: kept.peakGb,
    recomputedGb: again.peakGb,
    keptMs: kept.medianMs,
    recomputedMs: again.medianMs,
    losses: again.losses,
  }),
);
