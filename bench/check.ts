/**
 * `ftc check` of a file of 50 lines beside an empty node process, in turns; `ftc check` of 4,000 stages; `ftc plan` of
 * pipelines/medical.ftp. Medians, as one JSON line.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, numbersFrom } from './measure.ts';

const { steps: repetitions } = numbersFrom({ steps: 7 });
const root = join(import.meta.dirname, '../..');
const ftc = join(root, 'dist/src/cli/main.js');

function seconds(words: readonly string[]): number {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  const spent = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`node ${words.join(' ')} left with ${status}: ${stdout}${stderr}`);
  return spent;
}

/** Data, comments and a pipeline of three stages with options, 50 lines in all. */
function fiftyLines(): string {
  const options = ['lr=2e-4', 'epochs=2', 'batch=8', 'warmup=0.1', 'weight_decay=0.01', 'clip=1', 'seed=7'];
  const pipeline = [
    'pipeline main = pretrain(data=notes)',
    '  → sft(lora r=8 targets=q,v; data=answers',
    ...options.map((option) => `      ${option}`),
    '    )',
    '  → eval(data=answers)',
  ];
  const head = ['data notes = text("notes/*.txt")', 'data answers = jsonl("answers.jsonl")'];
  const comments = Array.from({ length: 50 - head.length - pipeline.length }, (_, i) => `# line ${i}`);
  return `${[...head, ...comments, ...pipeline].join('\n')}\n`;
}

function manyStages(count: number): string {
  const chain = Array.from({ length: count }, (_, i) => `stage${i}: sft(lora(r=8 targets=q,v) lr=1e-4)`);
  return `pretrain → ${chain.join('\n  → ')}\n`;
}

const directory = mkdtempSync(join(tmpdir(), 'ftc-check-'));
try {
  const [small, large] = [join(directory, 'small.ftp'), join(directory, 'large.ftp')];
  writeFileSync(small, fiftyLines());
  writeFileSync(large, manyStages(4000));
  const runs = { empty: [] as number[], small: [] as number[], large: [] as number[], plan: [] as number[] };
  for (let i = 0; i < repetitions; i++) {
    runs.empty.push(seconds(['-e', '0']));
    runs.small.push(seconds([ftc, 'check', small]));
    if (i % 2 === 1) continue;
    runs.large.push(seconds([ftc, 'check', large]));
    runs.plan.push(seconds([ftc, 'plan', 'pipelines/medical.ftp']));
  }
  console.log(
    JSON.stringify({
      checkRatio: Number(median(runs.small.map((time, i) => time / runs.empty[i]!)).toFixed(2)),
      emptySeconds: Number(median(runs.empty).toFixed(3)),
      checkSeconds: Number(median(runs.small).toFixed(3)),
      stages4000Seconds: Number(median(runs.large).toFixed(3)),
      planMedicalSeconds: Number(median(runs.plan).toFixed(3)),
    }),
  );
} finally {
  rmSync(directory, { recursive: true });
}
