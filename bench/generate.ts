/**
 * Greedy decoding of one row with a key/value cache, as `ftc generate` does it: 30 layers of width 576, vocabulary 49,152.
 * Milliseconds of each token after the first, as one JSON line; prefill is left out.
 */
import { servedDecoder } from '../src/runtime/run/generate.ts';
import type { ServedFormat } from '../src/runtime/run/served-weights.ts';
import { decodedModel } from './decoded-model.ts';
import { beginProcessorTime, optionsFrom, peakMemory, randomIntegers, report } from './measure.ts';

const { layers, vocabulary, prompt, steps, threads, quant } = optionsFrom({
  layers: 30,
  vocabulary: 49_152,
  prompt: 64,
  steps: 64,
  threads: 2,
  quant: '',
});

const begun = performance.now();
const model = decodedModel(layers, vocabulary);
const made = performance.now();
const format = quant === '' ? undefined : (quant as ServedFormat);
const decoder = servedDecoder(model, format, undefined, { threads });
const stamps: number[] = [];
const started = performance.now();
const ids = randomIntegers([prompt], vocabulary).data as Int32Array;
// The second call compiles the program of a step: it is not counted.
const settings = { maxNewTokens: steps + 2, stop: [], promptTokens: prompt };
for await (const _ of decoder.stream(ids, new Map(), settings)) {
  if (stamps.length === 2) beginProcessorTime();
  stamps.push(performance.now());
}
await decoder.dispose();
const times = stamps.slice(3).map((stamp, i) => stamp - stamps[i + 2]!);
report(times, 1, {
  makeMs: Math.round(made - begun),
  weightsMs: Math.round(started - made),
  firstTokenMs: Math.round(stamps[0]! - started),
  secondTokenMs: Math.round(stamps[1]! - stamps[0]!),
  loadedGb: peakMemory(),
});
