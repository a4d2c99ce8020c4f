/** Training nanoGPT's CPU configuration: milliseconds a step (forward, backward, clipping, AdamW), as one JSON line. */
import { TrainingWindows } from '../src/runtime/stages/parts/windows.ts';
import { numbersFrom, randomIntegers, report, timeEach } from './measure.ts';
import { nanogpt } from './nanogpt.ts';

const given = numbersFrom({
  layers: 4,
  heads: 4,
  width: 128,
  batch: 12,
  tokens: 64,
  vocabulary: 65,
  steps: 40,
  threads: 2,
  seed: 0,
});

const { batch, tokens, vocabulary, steps } = given;
const { trainer } = nanogpt(given);
const text = randomIntegers([200_000], vocabulary).data as Int32Array;
const windows = new TrainingWindows(text, tokens, batch, 1, 0);
const losses: number[] = [];
const step = async () => {
  const { sums, gradients } = await trainer.accumulate(windows.batches(losses.length), losses.length);
  trainer.apply(gradients, 1e-3);
  losses.push(sums.get('loss')!);
};
for (let i = 0; i < 3; i++) await step();
const times = await timeEach(steps, step);
await trainer.dispose();
report(times, batch * tokens, { firstLoss: losses[0]!, lastLoss: losses.at(-1)! });
