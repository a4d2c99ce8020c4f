/** Rotary position embeddings, first half against second half (Hugging Face's layout, not interleaved pairs). */
import { constant, gatherRows, rotary } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

/** Cosines and sines of each token's angles, both f32 (B or 1, T, Dh / 2). */
export interface Rotation {
  readonly cos: Node;
  readonly sin: Node;
}

/** How far each pair is turned at a position, and what the turned pairs are multiplied by. */
export interface RotaryAngles {
  /** Radians per position of the Dh / 2 pairs, for the token at this position. */
  at(position: number): Float64Array;
  /** Of cosines and sines. */
  readonly scale: number;
}

/**
 * The rotation of tokens at `positions` (i32 (B, T) or (1, T)), looked up in a table: all of them are below `rows`.
 * Angle of pair i at position p: p · frequencies[i].
 * @see https://arxiv.org/abs/2104.09864 section 3.4.2
 */
export function rotation(positions: Node, rows: number, { at, scale }: RotaryAngles): Rotation {
  const half = at(0).length;
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let p = 0; p < rows; p++) {
    const frequencies = at(p);
    for (let i = 0; i < half; i++) {
      cos[p * half + i] = scale * Math.cos(p * frequencies[i]!);
      sin[p * half + i] = scale * Math.sin(p * frequencies[i]!);
    }
  }
  const look = (data: Float32Array) =>
    gatherRows(constant({ dtype: 'f32', shape: [rows, half], data }), positions);
  return { cos: look(cos), sin: look(sin) };
}

/** 1 / theta^(2i / Dh) for each of the Dh / 2 pairs. */
export function rotaryFrequencies(headSize: number, theta: number): Float64Array {
  return Float64Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize));
}

/** x: (B, H, T, Dh) → the same, turned by each token's angles. */
export function rotate(x: Node, { cos, sin }: Rotation): Node {
  return rotary(x, cos, sin);
}
