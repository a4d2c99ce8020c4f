/** Rotary position embeddings, first half against second half (Hugging Face's layout, not interleaved pairs). */
import { constant, gatherRows, rotary } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

/** Cosines and sines of each token's angles, both f32 (B or 1, T, Dh / 2). */
export interface Rotation {
  readonly cos: Node;
  readonly sin: Node;
}

/**
 * The rotation of tokens at `positions` (i32 (B, T) or (1, T)), looked up in a table of `context` rows.
 * Angle of pair i at position p: p · frequencies[i].
 * @see https://arxiv.org/abs/2104.09864 section 3.4.2
 */
export function rotation(positions: Node, context: number, frequencies: Float64Array): Rotation {
  const table = (f: (angle: number) => number): Node => {
    const half = frequencies.length;
    const data = new Float32Array(context * half);
    for (let p = 0; p < context; p++) {
      for (let i = 0; i < half; i++) data[p * half + i] = f(p * frequencies[i]!);
    }
    return gatherRows(constant({ dtype: 'f32', shape: [context, half], data }), positions);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** 1 / theta^(2i / Dh) for each of the Dh / 2 pairs. */
export function rotaryFrequencies(headSize: number, theta: number): Float64Array {
  return Float64Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize));
}

/** x: (B, H, T, Dh) → the same, turned by each token's angles. */
export function rotate(x: Node, { cos, sin }: Rotation): Node {
  return rotary(x, cos, sin);
}
