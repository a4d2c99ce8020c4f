/**
 * Peak memory of a stage as `ftc plan` predicts it, and as the engine's process has it (VmHWM; Linux). A model of the
 * family and the sizes is made, and one stage with the method takes a few steps from it, in an engine of its own.
 *
 *     npx tsc -p bench/tsconfig.json; node dist/bench/memory.js --family gpt2 --stage 'sft(lora r=8; data=rows max_steps=4)'
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEngine } from '../src/cli/engine-process.ts';
import { planSource } from '../src/cli/plan-file.ts';
import { random } from '../src/runtime/random/random.ts';
import type { PlannedStage } from '../src/runtime/run/plan-types.ts';
import { madeUpWords, peakOf } from './measure.ts';

const { values } = parseArgs({
  options: {
    family: { type: 'string', default: 'llama' },
    layers: { type: 'string', default: '4' },
    width: { type: 'string', default: '256' },
    context: { type: 'string', default: '256' },
    vocabulary: { type: 'string', default: '2048' },
    /** What runs before the stage that is measured. */
    before: { type: 'string', default: '' },
    stage: { type: 'string', default: 'sft(full; data=rows batch=8 max_steps=4)' },
    /** Prints the parts of the prediction too. */
    parts: { type: 'boolean', default: false },
  },
});

const words = madeUpWords(6000);

async function writePipeline(directory: string): Promise<string> {
  const stream = random(2, 'texts');
  const text = (count: number) =>
    Array.from({ length: count }, () => words[stream.integer(words.length)]!).join(' ');
  const lines = (count: number, row: () => unknown) =>
    Array.from({ length: count }, () => `${JSON.stringify(row())}\n`).join('');
  const documents = Array.from({ length: 600 }, () => text(80)).join('\n\n');
  await writeFile(join(directory, 'text.txt'), documents);
  const rows = lines(300, () => ({ prompt: text(10), completion: ` ${text(20)}` }));
  await writeFile(join(directory, 'rows.jsonl'), rows);
  const pairs = lines(300, () => ({ prompt: text(10), chosen: ` ${text(20)}`, rejected: ` ${text(20)}` }));
  await writeFile(join(directory, 'pairs.jsonl'), pairs);
  const model = `${values.family}(layers=${values.layers} width=${values.width} heads=8 context=${values.context})`;
  const file = join(directory, 'memory.ftp');
  const before = values.before === '' ? '' : `\n  → ${values.before}`;
  await writeFile(
    file,
    `data rows = jsonl("rows.jsonl")
data pairs = jsonl("pairs.jsonl")
data texts = text("text.txt")
pipeline memory =
  pretrain(model=${model} data=texts vocabulary=${values.vocabulary} batch=1 max_steps=1)${before}
  → measured: ${values.stage}
`,
  );
  return file;
}

interface Measured {
  readonly peakBytes: number;
  readonly planned: PlannedStage;
}

/** One stage in an engine of its own; those before it must be there. */
async function runStage(file: string, stage: string): Promise<Measured> {
  const store = join(file, '../.ftc');
  const planned = await planSource({ file, set: [], device: 'auto', store, until: stage });
  if (planned.plan === undefined || planned.plan.diagnostics.length > 0)
    throw new Error(JSON.stringify(planned.plan?.diagnostics ?? planned.checked.diagnostics, null, 1));
  const { plan, graph } = planned;
  const engine = startEngine({ file, plan, graph, store, device: 'cpu' });
  let peakBytes = 0;
  let failed = '';
  for await (const event of engine.events) {
    peakBytes = Math.max(peakBytes, peakOf(engine.processId!));
    if (event.type === 'diagnostic') failed = event.message;
  }
  const { lastWords } = await engine.exit;
  if (failed) throw new Error(`${failed}\n${lastWords}`);
  return { peakBytes, planned: plan.stages.find(({ id }) => id === stage)! };
}

const directory = await mkdtemp(join(tmpdir(), 'ftc-memory-'));
try {
  const file = await writePipeline(directory);
  await runStage(file, values.before === '' ? 'pretrain' : values.before.split('(')[0]!);
  const { peakBytes, planned } = await runStage(file, 'measured');
  const { peak_memory_bytes: predictedBytes } = planned;
  console.log(
    JSON.stringify({
      predictedMb: Math.round(predictedBytes / 1e6),
      measuredMb: Math.round(peakBytes / 1e6),
      ratio: Number((predictedBytes / peakBytes).toFixed(3)),
    }),
  );
  if (values.parts)
    for (const { name, bytes } of planned.memory?.parts ?? [])
      console.error(`${name.padEnd(20)} ${(bytes / 1e6).toFixed(1).padStart(8)} MB`);
} finally {
  await rm(directory, { recursive: true });
}
