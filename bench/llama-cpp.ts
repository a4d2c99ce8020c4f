/**
 * The peer of generate.ts: llama.cpp as node-llama-cpp prebuilds it, decoding the same model from a GGUF file that ftc
 * writes, `--type f32` or `q4_0` (whose output layer is q8_0). Milliseconds of each token after the first, as one JSON
 * line; prefill is left out.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NumberTypeName } from '../src/runtime/gguf/number-types.ts';
import { writeGguf } from '../src/runtime/gguf/write-gguf.ts';
import { policyOf, trainedTokenizer } from '../tests/gguf/models.ts';
import { noLlamaCpp, openLlamaCpp } from '../tests/llama-cpp/llama-cpp.ts';
import { decodedModel } from './decoded-model.ts';
import { beginProcessorTime, optionsFrom, randomIntegers, report } from './measure.ts';

const { layers, vocabulary, prompt, steps, threads, type } = optionsFrom({
  layers: 30,
  vocabulary: 49_152,
  prompt: 64,
  steps: 64,
  threads: 2,
  type: 'f32',
});

if (noLlamaCpp !== undefined) throw new Error(noLlamaCpp);
const directory = await mkdtemp(join(tmpdir(), 'ftc-llama-cpp-'));
try {
  const path = join(directory, 'model.gguf');
  const { family, config, weights } = decodedModel(layers, vocabulary);
  const policy = policyOf(family, config, await trainedTokenizer(), weights);
  await writeGguf(path, policy, { type: type as NumberTypeName });
  const there = await openLlamaCpp(path, { threads, contextTokens: prompt + steps + 2 });
  const stamps: number[] = [];
  const ids = randomIntegers([prompt], vocabulary).data as Int32Array;
  await there.greedy([...ids], steps + 2, () => {
    if (stamps.length === 2) beginProcessorTime();
    stamps.push(performance.now());
  });
  await there.dispose();
  const times = stamps.slice(3).map((stamp, i) => stamp - stamps[i + 2]!);
  const { version } = JSON.parse(
    readFileSync('node_modules/@node-llama-cpp/linux-x64/package.json', 'utf8'),
  ) as { version: string };
  report(times, 1, { library: `llama.cpp of node-llama-cpp ${version}, ${type}` });
} finally {
  await rm(directory, { recursive: true });
}
