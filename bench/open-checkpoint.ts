/**
 * Opening a published checkpoint for LoRA on the CPU: seconds and peak memory until a training step can be taken, and of
 * the step, as one JSON line. The checkpoint, a Llama with random weights, is written first and read by a process of its own.
 *
 *     npx tsc -p bench/tsconfig.json; node dist/bench/open-checkpoint.js --gigabytes 1 --format bf16
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { lora } from '../src/runtime/methods/lora.ts';
import { llama } from '../src/runtime/models/llama.ts';
import type { ModelConfig } from '../src/runtime/models/model.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import { readPolicy } from '../src/runtime/run/policies.ts';
import { finishProgram } from '../src/runtime/run/program-passes.ts';
import { languageModelProgram } from '../src/runtime/stages/parts/language-model-program.ts';
import { trainedModel } from '../src/runtime/stages/parts/training.ts';
import {
  beginProcessorTime,
  median,
  optionsFrom,
  peakMemory,
  processorMs,
  randomIntegers,
} from './measure.ts';

const options = optionsFrom({
  gigabytes: 1,
  format: 'f32',
  tokens: 128,
  steps: 1,
  threads: 2,
  memory: '',
  read: '',
});
const WIDTH = 1024;
const PER_BLOCK = WIDTH * (2.5 * WIDTH + 3 * 2816 + 2);
const VOCABULARY = 32_000;

function configFor(parameters: number): ModelConfig {
  const layers = Math.round((parameters - VOCABULARY * WIDTH) / PER_BLOCK);
  return llama.configure(
    { layers, width: WIDTH, heads: 16, kv_heads: 4, mlp: 2816, context: 2048 },
    { vocabularySize: VOCABULARY, eos: 2, pad: 0 },
  );
}

/** Numbers of about ± 0.02, over and over. */
function someNumbers(format: string): Uint8Array {
  const floats = Float32Array.from({ length: 1 << 20 }, () => (Math.random() - 0.5) * 0.06);
  if (format === 'f32') return new Uint8Array(floats.buffer);
  const bits = new Uint32Array(floats.buffer);
  return new Uint8Array(Uint16Array.from(bits, (each) => each >>> 16).buffer);
}

async function writeModel(directory: string, bytes: number, format: string): Promise<void> {
  const each = format === 'f32' ? 4 : 2;
  const config = configFor(bytes / each);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  let offset = 0;
  const entries = llama.parameters(config).map(({ name, shape }) => {
    const start = offset;
    offset += each * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: format.toUpperCase(), shape, data_offsets: [start, offset] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const json = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = createWriteStream(join(directory, 'model.safetensors'));
  file.write(length);
  file.write(json);
  const numbers = someNumbers(format);
  for (let done = 0; done < offset; done += numbers.length)
    if (!file.write(numbers.subarray(0, Math.min(numbers.length, offset - done)))) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

const seconds = (from: number): number => Number(((performance.now() - from) / 1000).toFixed(2));

async function readModel(directory: string): Promise<void> {
  const gigabytes = statSync(join(directory, 'model.safetensors')).size / 1e9;
  const before = peakMemory();
  const started = performance.now();
  const policy = await readPolicy(directory);
  const openSeconds = seconds(started);
  const { family, config } = policy;
  const target = {
    config,
    parameters: family.parameters(config),
    linears: family.linears(config),
    blocks: family.blocks(config),
  };
  const method = lora.apply(target, { r: 8, targets: ['q', 'v'] });
  const model = trainedModel(policy, method, 0);
  const { tokens } = options;
  const program = finishProgram(
    () => languageModelProgram({ family, config, batch: 1, length: tokens, headTrainable: false }),
    { adapt: method, trainable: method.trainable },
  );
  const executor = await onnx.load(program, {
    frozen: model.frozen,
    threads: options.threads,
    ...(options.memory !== '' && { memory: options.memory === 'small' ? 'small' : 'fast' }),
  });
  const readySeconds = seconds(started);
  const ready = peakMemory();
  const weights = new Float32Array(tokens).fill(1 / tokens);
  const feeds = new Map<string, Tensor>([
    ...model.trainable,
    ['ids', randomIntegers([1, tokens], VOCABULARY)],
    ['labels', randomIntegers([tokens], VOCABULARY)],
    ['weights', { dtype: 'f32', shape: [tokens], data: weights }],
  ]);
  const stepping = performance.now();
  let outputs = await executor.run(feeds);
  const stepSeconds = seconds(stepping);
  const times: number[] = [];
  beginProcessorTime();
  for (let step = 1; step < options.steps; step++) {
    const start = performance.now();
    outputs = await executor.run(feeds);
    times.push(seconds(start));
  }
  const processorSeconds = processorMs() / 1000 / Math.max(1, times.length);
  const peak = peakMemory();
  const round = (value: number) => Number(value.toFixed(3));
  console.log(
    JSON.stringify({
      format: options.format,
      gigabytes: round(gigabytes),
      openSeconds,
      readySeconds,
      stepSeconds,
      ...(times.length > 0 && { laterSeconds: median(times), processorSeconds: round(processorSeconds) }),
      beforeGb: round(before),
      readyGb: round(ready),
      peakGb: round(peak),
      readyRatio: round(ready / gigabytes),
      peakRatio: round(peak / gigabytes),
      loss: outputs.get('loss')!.data[0],
    }),
  );
}

async function main(): Promise<void> {
  if (options.read !== '') return readModel(options.read);
  const directory = await mkdtemp(join(tmpdir(), 'ftc-open-'));
  try {
    await writeModel(directory, options.gigabytes * 1e9, options.format);
    const { format, tokens, steps, threads, memory } = options;
    const values = { format, tokens, steps, threads, memory, read: directory };
    const flags = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...flags], { stdio: 'inherit' });
  } finally {
    await rm(directory, { recursive: true });
  }
}

await main();
