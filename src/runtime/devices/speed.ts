/** How fast this machine computes, measured in a moment: what the plan's times rest on. */
import { onnx } from '../executables/onnx/onnx.ts';
import { input, matmul, parameter, program } from '../programs/builder.ts';
import type { Speed } from '../programs/cost.ts';
import type { Tensor } from '../programs/ops.ts';

const ROWS = 512;
const WIDTH = 384;
const REPETITIONS = 8;
/** A training step's products are smaller and less regular than the one measured: what remains of its speed. */
const SUSTAINED = 0.55;
/** Measured as the time of a step of many tiny operations, divided by their number. */
const SECONDS_PER_NODE = 6e-6;

const filled = (shape: readonly number[]): Tensor => ({
  dtype: 'f32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
});

/** About a tenth of a second. */
export async function deviceSpeed(): Promise<Speed> {
  const product = matmul(input('x', 'f32', [ROWS, WIDTH]), parameter('w', [WIDTH, WIDTH]));
  const executor = await onnx.load(program('speed', { y: product }), {
    frozen: new Map([['w', filled([WIDTH, WIDTH])]]),
  });
  const feeds = new Map([['x', filled([ROWS, WIDTH])]]);
  await executor.run(feeds);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPETITIONS; i++) {
    const started = performance.now();
    await executor.run(feeds);
    best = Math.min(best, performance.now() - started);
  }
  await executor.dispose();
  return {
    operationsPerSecond: (SUSTAINED * 2 * ROWS * WIDTH * WIDTH) / (best / 1000),
    bytesPerSecond: copySpeed(),
    secondsPerNode: SECONDS_PER_NODE,
  };
}

/** Bytes read and written a second by a large copy. */
function copySpeed(): number {
  const source = new Float32Array(1 << 21);
  const target = new Float32Array(1 << 21);
  target.set(source);
  const started = performance.now();
  for (let i = 0; i < 3; i++) target.set(source);
  return (3 * 2 * source.byteLength) / ((performance.now() - started) / 1000);
}
