/**
 * Greedy decoding of one row with a key/value cache: 30 layers of width 576, vocabulary 49,152, f32. Milliseconds of each
 * token after the first, as one JSON line; prefill is left out.
 */
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { Decoder } from '../src/runtime/generation/decoder.ts';
import { llama } from '../src/runtime/models/llama.ts';
import { optimize } from '../src/runtime/rewrites/optimize.ts';
import {
  beginProcessorTime,
  initialize,
  numbersFrom,
  peakMemory,
  randomIntegers,
  report,
} from './measure.ts';

const { layers, vocabulary, prompt, steps, threads, freeze } = numbersFrom({
  layers: 30,
  vocabulary: 49_152,
  prompt: 64,
  steps: 64,
  threads: 2,
  freeze: 0,
});

const config = llama.configure(
  { layers, width: 576, heads: 9, kv_heads: 3, mlp: 1536, context: 2048 },
  { vocabularySize: vocabulary, eos: 0, pad: 0 },
);
const weights = initialize(llama.parameters(config));
const decoder = new Decoder({
  family: llama,
  config,
  load: (program) =>
    onnx.load(optimize(program), {
      threads,
      ...(freeze > 0 && { frozen: weights, memory: freeze > 1 ? 'small' : 'fast' }),
    }),
  pad: 0,
});
const stamps: number[] = [];
const started = performance.now();
const ids = randomIntegers([prompt], vocabulary).data as Int32Array;
// The second call compiles the program of a step: it is not counted.
const settings = { maxNewTokens: steps + 2, stop: [], promptTokens: prompt };
for await (const _ of decoder.stream(ids, freeze > 0 ? new Map() : weights, settings)) {
  if (stamps.length === 2) beginProcessorTime();
  stamps.push(performance.now());
}
await decoder.dispose();
const times = stamps.slice(3).map((stamp, i) => stamp - stamps[i + 2]!);
report(times, 1, {
  firstTokenMs: Math.round(stamps[0]! - started),
  secondTokenMs: Math.round(stamps[1]! - stamps[0]!),
  loadedGb: peakMemory(),
});
