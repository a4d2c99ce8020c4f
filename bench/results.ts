/** Results as files: the rounds of a bench as JSON, and one table of all benches for people. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

export type Figures = Readonly<Record<string, number | string>>;

export interface Verdict {
  readonly figure: string;
  readonly value: number;
  readonly target: string;
  readonly met: boolean;
}

export interface RowResult {
  readonly title: string;
  /** Load average of one minute before and after. */
  readonly load: readonly [number, number];
  /** Versions of the other side; empty where there is none. */
  readonly peer: string;
  /** Medians over the rounds. */
  readonly medians: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
  readonly rounds: readonly { readonly ours: Figures; readonly peer?: Figures }[];
}

export interface BenchFile {
  readonly name: string;
  readonly date: string;
  readonly machine: string;
  readonly rows: readonly RowResult[];
}

export const loadAverage = (): number => Number(loadavg()[0]!.toFixed(1));

export function machine(): string {
  const processor = cpus();
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processor.length} × ${processor[0]!.model.trim()}, ${memory} GiB; node ${process.versions.node}, onnxruntime ${version}`;
}

const words: Readonly<Record<string, string>> = {
  speed: 'tokens/s, ours ÷ peer',
  memory: 'peak memory, ours ÷ peer',
  tokensPerSecond: 'tokens/s',
  checkRatio: 'check of 50 lines ÷ empty node process',
  stages4000Seconds: 'check of 4,000 stages, s',
  planMedicalSeconds: 'plan of medical.ftp, s',
  firstStepSeconds: 'seconds',
  validationLoss: 'validation loss',
  initialLoss: 'loss before the first step',
  memoryOfKept: 'peak memory ÷ that of recompute=none',
  processorOfKept: 'processor time ÷ that of recompute=none',
  sameLosses: 'every loss is the same number',
  processorNanoseconds: 'processor time a number, ns',
  savedShare: 'peak memory less, ÷ size of the state',
  ratio: 'peak memory, planned ÷ measured',
};

const byProcessor = (value: number | undefined) =>
  value === undefined ? '' : `, ${value} by processor time`;

function detail({ figure }: Verdict, { medians }: RowResult): string {
  const { speedAtBest, processor, peakGb, speed, keptGb, recomputedGb, keptMs, recomputedMs } = medians;
  if (figure === 'speed')
    return `${speedAtBest} at best${byProcessor(processor)}; ours ${medians.tokensPerSecond} tokens/s`;
  if (figure === 'memory') return `ours ${peakGb} GB`;
  if (figure === 'ratio') return `planned ${medians.predictedMb} MB, measured ${medians.measuredMb} MB`;
  if (figure === 'memoryOfKept') return `${keptGb} → ${recomputedGb} GB`;
  if (figure === 'processorOfKept') return `a step ${keptMs} → ${recomputedMs} ms by the clock`;
  return speed === undefined ? '' : `${speed} × the peer, ${speedAtBest} at best${byProcessor(processor)}`;
}

/** Markdown. */
export function drawTable(rows: readonly RowResult[]): string {
  const lines = rows.flatMap((row) =>
    row.verdicts.map(
      (one) =>
        `| ${row.title} | ${words[one.figure] ?? one.figure} | ${one.value} | ${one.target} | ${one.met ? 'met' : '**missed**'} | ${detail(one, row)} | ${row.load.join(' → ')} |`,
    ),
  );
  return [
    '| what | figure | measured | target | | beside it | load average |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** Writes NAME.json, and README.md from every JSON file of the directory. */
export async function writeResults(directory: string, file: BenchFile): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${file.name}.json`), `${JSON.stringify(file, null, 1)}\n`);
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const files = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as BenchFile),
  );
  const sections = files.map(({ name, date, machine: where, rows }) => {
    const peers = [...new Set(rows.map((row) => row.peer).filter(Boolean))];
    const beside = peers.length > 0 ? ` Peer: ${peers.join('; ')}.` : '';
    return `## ${name}\n\n${drawTable(rows)}\n\n${date}; ${where}.${beside}\n`;
  });
  const head = [
    '# Measured',
    '',
    'Written by `npm run bench -- NAME`. Sides run in turns in processes of their own, two threads each; every figure is the',
    'median over the rounds of one run. A load average above 0 before a bench means that others used the machine: ratios',
    'travel, absolute times do not. They do not travel from one maker of processors to another: on AMD’s PyTorch multiplies',
    'matrices half as fast as onnxruntime does, on Intel’s as fast, so that `lora` was 1.04 to 1.25 there before the last changes.',
    '',
  ];
  await writeFile(join(directory, 'README.md'), `${head.join('\n')}\n${sections.join('\n')}`);
}
