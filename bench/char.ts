/**
 * nanoGPT's character model trained to its end (Shakespeare, 65 characters): validation loss on the whole last tenth of
 * the text, as one JSON line; progress on stderr. node dist/bench/char.js --text input.txt
 * @see https://github.com/karpathy/nanoGPT, "I only have a macbook"; uniform start: ln 65 = 4.174, published end: 1.88.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scheduleFactor } from '../src/runtime/optimizers/schedule.ts';
import { lossMetrics } from '../src/runtime/stages/parts/examples.ts';
import { evaluationBatches, TrainingWindows } from '../src/runtime/stages/parts/windows.ts';
import { peakMemory } from './measure.ts';
import { nanogpt } from './nanogpt.ts';

const { values } = parseArgs({
  options: {
    text: { type: 'string' },
    steps: { type: 'string', default: '2000' },
    every: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1337' },
    threads: { type: 'string', default: '2' },
  },
});
if (values.text === undefined) throw new Error('--text names a file of plain text');
const [steps, every, seed] = [Number(values.steps), Number(values.every), Number(values.seed)];
const [batch, tokens] = [12, 64];

const text = readFileSync(values.text, 'utf8');
const characters = [...new Set(text)].sort();
const numbers = new Map(characters.map((character, i) => [character, i]));
const ids = Int32Array.from(text, (character) => numbers.get(character)!);
const cut = Math.floor(ids.length * 0.9);

const { trainer } = nanogpt({
  layers: 4,
  heads: 4,
  width: 128,
  batch,
  tokens,
  vocabulary: characters.length,
  threads: Number(values.threads),
  seed,
});
const windows = new TrainingWindows(ids.subarray(0, cut), tokens, batch, 1, seed);
const validation = () => evaluationBatches(ids.subarray(cut), tokens, batch);
const curve: Record<number, number> = {};
const measure = async (step: number) => {
  curve[step] = lossMetrics(await trainer.evaluate(validation())).loss!;
  console.error(`step ${step}: validation loss ${curve[step].toFixed(3)}`);
};

const started = performance.now();
let trainingMs = 0;
await measure(0);
for (let step = 0; step < steps; step++) {
  const before = performance.now();
  const { gradients } = await trainer.accumulate(windows.batches(step), step);
  const rate = scheduleFactor(step, { kind: 'cosine', steps, warmupSteps: 100, minimum: 0.1 });
  trainer.apply(gradients, 1e-3 * rate);
  trainingMs += performance.now() - before;
  if ((step + 1) % every === 0 || step + 1 === steps) await measure(step + 1);
}
await trainer.dispose();
console.log(
  JSON.stringify({
    characters: characters.length,
    curve,
    initialLoss: curve[0],
    validationLoss: curve[steps],
    seconds: Math.round((performance.now() - started) / 1000),
    tokensPerSecond: Math.round((steps * batch * tokens * 1000) / trainingMs),
    peakGb: Number(peakMemory().toFixed(3)),
  }),
);
