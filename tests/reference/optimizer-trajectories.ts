/** Steps of optimizers as PyTorch, transformers and bitsandbytes take them, and the gradients they took them with. */
import { readFileSync } from 'node:fs';

export interface Trajectories {
  readonly shapes: { readonly [tensor: string]: readonly number[] };
  readonly learning_rate: number;
  readonly decay: number;
  readonly start: { readonly [tensor: string]: readonly number[] };
  /** Parameters after each step. */
  readonly cases: { readonly [name: string]: readonly { readonly [tensor: string]: readonly number[] }[] };
  readonly adam8bit: {
    readonly count: number;
    readonly seed: number;
    readonly steps: number;
    readonly scales: readonly number[];
    readonly parameters: string;
    readonly m: string;
    readonly v: string;
    readonly m_absmax: string;
    readonly v_absmax: string;
  };
  readonly unsigned_dynamic_map: string;
}

export const trajectories = JSON.parse(
  readFileSync(new URL('optimizers/trajectories.json', import.meta.url), 'utf8'),
) as Trajectories;

/** Base64, little-endian. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
export const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);

/** Nearly normal numbers: sums of twelve of mulberry32, less 6, times a scale. */
export function numbers(seed: number, count: number, scale: number): Float32Array {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return Float32Array.from({ length: count }, () => {
    let total = 0;
    for (let i = 0; i < 12; i++) total += uniform();
    return scale * (total - 6);
  });
}

/** Gradient of a tensor of `shapes` at a step counted from 0. */
export function gradientAt(tensor: string, step: number): Float32Array {
  const names = Object.keys(trajectories.shapes);
  const size = trajectories.shapes[tensor]!.reduce((a, b) => a * b, 1);
  return numbers(100 + 10 * step + names.indexOf(tensor), size, 0.1);
}
