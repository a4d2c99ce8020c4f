/**
 * One pretraining step (forward, backward, AdamW) of nanoGPT's CPU configuration: 4 layers, 4 heads, width 128, 12 × 64
 * characters. npx tsc -p bench/tsconfig.json; node dist/bench/pretrain-step.js
 */
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { adamw } from '../src/runtime/optimizers/adamw.ts';
import { nodesOf } from '../src/runtime/programs/program.ts';
import { median, numbersFrom, peakMemory, timeEach } from './measure.ts';
import { pretrainStep } from './pretrain-program.ts';

const { layers, heads, width, batch, tokens, vocabulary, steps } = numbersFrom({
  layers: 4,
  heads: 4,
  width: 128,
  batch: 12,
  tokens: 64,
  vocabulary: 65,
  steps: 40,
});

const rows = batch * tokens;
const sizes = { layers, heads, width, batch, tokens, vocabulary };
const { program: step, parameters, feeds } = pretrainStep(sizes);
const names = [...parameters.keys()];
const started = performance.now();
const executor = await onnx.load(step);
const loadMs = performance.now() - started;
const optimizer = adamw({ weightDecay: 0.1 });
const flat = new Map([...parameters].map(([name, value]) => [name, value.data as Float32Array]));
const state = optimizer.initialize(flat);
const losses: number[] = [];
let updateMs = 0;
const times = await timeEach(steps, async () => {
  const outputs = await executor.run(feeds);
  losses.push(outputs.get('loss')!.data[0]!);
  const gradients = new Map(names.map((name) => [name, outputs.get(`grad:${name}`)!.data as Float32Array]));
  const before = performance.now();
  optimizer.update(flat, gradients, state, 1e-3);
  updateMs = performance.now() - before;
});
await executor.dispose();
console.log(
  JSON.stringify({
    layers,
    width,
    batch,
    tokens,
    nodes: nodesOf(step).length,
    loadMs: Math.round(loadMs),
    bestMs: Number(Math.min(...times).toFixed(1)),
    medianMs: Number(median(times).toFixed(1)),
    updateMs: Number(updateMs.toFixed(1)),
    tokensPerSecond: Math.round((rows * 1000) / median(times)),
    peakGb: Number(peakMemory().toFixed(3)),
    firstLoss: losses[0],
    lastLoss: losses.at(-1),
  }),
);
