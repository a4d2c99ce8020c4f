/**
 * One optimizer over random tensors: nanoseconds an element, size of its state, peak memory, as one JSON line.
 *
 *     node dist/bench/optimizers.js --optimizer paged_adamw --elements 50000000 --steps 5
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/compiler/compile.ts';
import { catalog, optimizers } from '../src/runtime/catalog.ts';
import { clipGradients } from '../src/runtime/optimizers/clip.ts';
import { openPageFile } from '../src/runtime/run/page-file.ts';
import { median, peakMemory, processorMs, timeEach } from './measure.ts';

const { values } = parseArgs({
  options: {
    optimizer: { type: 'string', default: 'adamw' },
    elements: { type: 'string', default: '800000' },
    steps: { type: 'string', default: '30' },
  },
});
const [elements, steps] = [Number(values.elements), Number(values.steps)];

/** As in a model: matrices, each with a vector beside it. */
const width = 512;
const shapes = new Map<string, readonly number[]>();
for (let left = elements, i = 0; left > 0; i++) {
  const rows = Math.max(1, Math.min(4 * width, Math.floor(left / width) - 1));
  shapes.set(`matrix.${i}`, [rows, width]);
  shapes.set(`vector.${i}`, [width]);
  left -= (rows + 1) * width;
}

/** xorshift: millions are wanted quickly. */
let state = 88_172_645;
function filled(size: number, scale: number): Float32Array {
  const numbers = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[i] = (scale * state) / 2 ** 31;
  }
  return numbers;
}

const tensors = (scale: number) =>
  new Map([...shapes].map(([name, shape]) => [name, filled(shape[0]! * (shape[1] ?? 1), scale)]));

const text = `pretrain(data=text("x") model=llama optimizer=${values.optimizer})`;
const options = compile({ path: 'bench.ftp', text }, { catalog }).graph!.jobs[0]!.options;
const directory = mkdtempSync(join(tmpdir(), 'ftc-bench-'));
const optimizer = optimizers[values.optimizer]!.create(options, {
  shapes,
  openPages: (bytes) => openPageFile(join(directory, 'pages'), bytes),
});
const [parameters, gradients] = [tensors(0.02), tensors(0.001)];
const kept = optimizer.initialize(parameters);
const times = await timeEach(steps, async () => {
  await optimizer.update(parameters, gradients, kept, 1e-4);
});
const processor = processorMs() / steps;
const clips = await timeEach(steps, async () => {
  clipGradients(gradients, 1);
});
await kept.close?.();
rmSync(directory, { recursive: true, force: true });
const { memory, file } = optimizer.stateBytes(shapes);
const nanoseconds = (milliseconds: number) => Number(((milliseconds * 1e6) / elements).toFixed(2));
console.log(
  JSON.stringify({
    optimizer: values.optimizer,
    elements,
    nanoseconds: nanoseconds(median(times)),
    bestNanoseconds: nanoseconds(Math.min(...times)),
    // Of all threads: what a loaded machine stretches less.
    processorNanoseconds: nanoseconds(processor),
    clipNanoseconds: nanoseconds(median(clips)),
    stateGb: Number((memory / 1e9).toFixed(3)),
    fileGb: Number((file / 1e9).toFixed(3)),
    peakGb: Number(peakMemory().toFixed(3)),
  }),
);
