/** Helpers of the benchmarks: random weights, timing, memory, options. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ParameterSpec } from '../src/runtime/models/model.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import { sizeOf } from '../src/runtime/programs/program.ts';
import { random } from '../src/runtime/random/random.ts';

/** Whole numbers from the command line: `--layers 4`. */
export const numbersFrom = <T extends Readonly<Record<string, number>>>(
  defaults: T,
): { [K in keyof T]: number } => optionsFrom(defaults) as { [K in keyof T]: number };

/** Numbers and words from the command line: `--layers 4`. */
export function optionsFrom<T extends Readonly<Record<string, number | string>>>(
  defaults: T,
): { [K in keyof T]: T[K] extends number ? number : string } {
  const options = Object.fromEntries(
    Object.keys(defaults).map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ options });
  const given = Object.entries(values).map(([name, text]) => [
    name,
    typeof defaults[name] === 'number' ? Number(text) : text,
  ]);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Values as the model initializes them; xorshift, because millions are wanted quickly. */
export function initialize(specs: readonly ParameterSpec[]): Map<string, Tensor> {
  let state = 88_172_645;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
  return new Map(
    specs.map(({ name, shape, initializer }) => {
      const data = new Float32Array(sizeOf(shape));
      if (initializer.kind === 'ones') data.fill(1);
      else if (initializer.kind === 'normal' || initializer.kind === 'uniform') {
        // A uniform number of the same variance stands for a normal one: speed is what is measured.
        const bound = initializer.kind === 'uniform' ? initializer.bound : initializer.std * Math.sqrt(3);
        for (let i = 0; i < data.length; i++) data[i] = bound * uniform();
      }
      return [name, { dtype: 'f32', shape, data }];
    }),
  );
}

/** Whole numbers in [0, below). */
export function randomIntegers(shape: readonly number[], below: number): Tensor {
  const data = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(Math.random() * below));
  return { dtype: 'i32', shape, data };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Milliseconds of each call after one that is not counted. */
export async function timeEach(times: number, run: () => Promise<void>): Promise<number[]> {
  await run();
  const milliseconds: number[] = [];
  beginProcessorTime();
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}

let begun = process.cpuUsage();

/** Of all threads, from here to the report: what a loaded machine does not stretch. */
export function beginProcessorTime(): void {
  begun = process.cpuUsage();
}

export function processorMs(): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** The largest resident memory so far, in GB (1e9 bytes); Linux. */
export function peakMemory(): number {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return (Number(kilobytes) * 1024) / 1e9;
}

/** One JSON line: times, speed by the median, peak memory. `tokens`: of one call. */
export function report(
  times: readonly number[],
  tokens: number,
  more: Readonly<Record<string, unknown>>,
): void {
  const middle = median(times);
  console.log(
    JSON.stringify({
      ...more,
      processorMs: Number((processorMs() / times.length).toFixed(2)),
      bestMs: Number(Math.min(...times).toFixed(2)),
      medianMs: Number(middle.toFixed(2)),
      tokensPerSecond: Number(((tokens * 1000) / middle).toFixed(1)),
      peakGb: Number(peakMemory().toFixed(3)),
    }),
  );
}

/** Of one to four syllables. */
export function madeUpWords(count: number): string[] {
  const stream = random(1, 'words');
  const pick = (from: string) => from[stream.integer(from.length)]!;
  const syllable = () => pick('bcdfghjklmnprstvwz') + pick('aeiou') + pick('nlrst');
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + stream.integer(4) }, syllable).join(''),
  );
}

/** The largest resident memory of a process so far; 0 where it is gone. */
export function peakOf(processId: number): number {
  try {
    const kibibytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
