/**
 * One LoRA step (forward, backward, AdamW) of a Llama-like model: milliseconds and peak memory, as one JSON line.
 * npx tsc -p bench/tsconfig.json; node dist/bench/lora-step.js --layers 4 --vocabulary 49152
 */
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { adamw } from '../src/runtime/optimizers/adamw.ts';
import { nodesOf } from '../src/runtime/programs/program.ts';
import { loraStep } from './lora-program.ts';
import { optionsFrom, report, timeEach } from './measure.ts';

const { layers, vocabulary, batch, tokens, answer, steps, threads, small, precision } = optionsFrom({
  layers: 4,
  vocabulary: 2048,
  batch: 4,
  tokens: 256,
  answer: 1,
  steps: 8,
  threads: 2,
  small: 0,
  precision: 'f32',
});

const sizes = { layers, vocabulary, batch, tokens, answer, precision };
const { program: step, trainable, frozen, trained, feeds } = loraStep(sizes);
const started = performance.now();
const executor = await onnx.load(step, { frozen, memory: small ? 'small' : 'fast', threads });
const loadMs = performance.now() - started;
const optimizer = adamw({});
const flat = new Map([...trained].map(([name, value]) => [name, value.data as Float32Array]));
const state = optimizer.initialize(flat);
const losses: number[] = [];
const times = await timeEach(steps, async () => {
  const outputs = await executor.run(feeds);
  losses.push(outputs.get('loss')!.data[0]!);
  const gradients = new Map(
    trainable.map((name) => [name, outputs.get(`grad:${name}`)!.data as Float32Array]),
  );
  optimizer.update(flat, gradients, state, 1e-4);
});
await executor.dispose();
report(times, batch * tokens, {
  layers,
  vocabulary,
  answer,
  precision,
  nodes: nodesOf(step).length,
  loadMs: Math.round(loadMs),
  firstLoss: losses[0],
  lastLoss: losses.at(-1),
});
