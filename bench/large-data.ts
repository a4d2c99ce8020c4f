/**
 * A few steps on data of two sizes, in an engine of its own: its peak memory (VmHWM; Linux), how fast it reads before the
 * first step, and what planning takes here. Nothing is held out: an evaluation would take longer than all the rest.
 *
 *     npx tsc -p bench/tsconfig.json; node dist/bench/large-data.js --stage sft --megabytes 1500
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startEngine } from '../src/cli/engine-process.ts';
import { planSource } from '../src/cli/plan-file.ts';
import { random } from '../src/runtime/random/random.ts';
import { madeUpWords, optionsFrom, peakOf } from './measure.ts';

const options = optionsFrom({ stage: 'sft', smallMegabytes: 200, megabytes: 1500 });

const stages: Readonly<Record<string, string>> = {
  sft: 'sft(lora r=4; data=rows batch=8 max_steps=4)',
  pretrain: `pretrain(data=rows ${modelOf()} batch=8 max_steps=4)`,
};

function modelOf(): string {
  return 'model=llama(layers=2 width=64 heads=2 context=512) vocabulary=2048';
}

/** Rows of some 700 bytes, no two alike: parts of made-up text in another order and with their number. */
function* rows(bytes: number): Generator<string> {
  const stream = random(2, 'texts');
  const words = madeUpWords(20_000);
  const text = (count: number) =>
    Array.from({ length: count }, () => words[Math.floor(stream.uniform() ** 3 * words.length)]!).join(' ');
  const parts = Array.from({ length: 4000 }, () => text(30));
  const part = () => parts[stream.integer(parts.length)]!;
  for (let written = 0, number = 0; written < bytes; number++) {
    const [prompt, completion] = [`${number} ${part()}`, ` ${part()} ${part()}`];
    const row = options.stage === 'sft' ? { prompt, completion } : { text: prompt + completion };
    const line = `${JSON.stringify(row)}\n`;
    written += line.length;
    yield line;
  }
}

async function writePipeline(directory: string, megabytes: number): Promise<string> {
  const file = join(directory, `large-${megabytes}.ftp`);
  await pipeline(Readable.from(rows(megabytes * 1e6)), createWriteStream(join(directory, 'rows.jsonl')));
  const words = madeUpWords(20_000);
  await writeFile(join(directory, 'text.txt'), words.slice(0, 4000).join(' '));
  const before =
    options.stage === 'sft' ? `pretrain(data=text("text.txt") ${modelOf()} batch=1 max_steps=1) → ` : '';
  await writeFile(
    file,
    `data rows = jsonl("rows.jsonl") → split(test=0)\npipeline large = ${before}measured: ${stages[options.stage]!}\n`,
  );
  return file;
}

async function measure(megabytes: number) {
  const directory = await mkdtemp(join(tmpdir(), 'ftc-large-'));
  try {
    const file = await writePipeline(directory, megabytes);
    const store = join(directory, '.ftc');
    const begun = performance.now();
    const planned = await planSource({ file, set: [], device: 'auto', store });
    const planSeconds = (performance.now() - begun) / 1000;
    if (planned.plan === undefined || planned.plan.diagnostics.length > 0)
      throw new Error(JSON.stringify(planned.plan?.diagnostics ?? planned.checked.diagnostics, null, 1));
    const { plan, graph } = planned;
    const engine = startEngine({ file, plan, graph, store, device: 'cpu' });
    let [peakBytes, started, firstStep, steps] = [0, 0, 0, 0];
    for await (const event of engine.events) {
      peakBytes = Math.max(peakBytes, peakOf(engine.processId!));
      if (event.type === 'diagnostic') throw new Error(event.message);
      if (!('stage' in event) || event.stage !== 'measured') continue;
      if (event.type === 'stage_started') started = performance.now();
      if (event.type !== 'step') continue;
      if (event.step === 1) firstStep = performance.now();
      steps++;
    }
    if (steps !== 4) throw new Error(`${steps} steps were taken`);
    const stage = plan.stages.find(({ id }) => id === 'measured')!;
    return {
      peakMb: peakBytes / 1e6,
      plannedMb: stage.peak_memory_bytes / 1e6,
      scratchMb: (stage.scratch_bytes ?? 0) / 1e6,
      secondsBefore: (firstStep - started) / 1000,
      planSeconds,
      planPeakMb: peakOf(process.pid) / 1e6,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const round = (figures: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]));

const small = await measure(options.smallMegabytes);
const large = await measure(options.megabytes);
console.log(
  JSON.stringify({
    ...round({
      ...large,
      smallPeakMb: small.peakMb,
      growthMb: large.peakMb - small.peakMb,
      readMbPerSecond: options.megabytes / large.secondsBefore,
      planGrowthMb: large.planPeakMb - small.planPeakMb,
    }),
  }),
);
