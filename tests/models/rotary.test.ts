/** Rotary embeddings against PyTorch, and the scalings of published configs. */
import { expect, test } from 'vitest';
import { evaluate } from '../../src/runtime/executables/reference/reference.ts';
import { rotaryFrequencies, rotate, rotation } from '../../src/runtime/layers/rotary.ts';
import { ropeOf } from '../../src/runtime/models/rope.ts';
import { input, program } from '../../src/runtime/programs/builder.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';

test('rotated queries', () => {
  const { theta, head_dim: size, positions, q, inv_freq: frequencies, out } = vectors.rope;
  expectClose(rotaryFrequencies(size, theta), frequencies, { relative: 1e-12 });
  const angles = rotation(input('positions', 'i32', [1, 4]), 16, {
    at: () => rotaryFrequencies(size, theta),
    scale: 1,
  });
  const built = program('rope', { out: rotate(input('q', 'f32', [1, 1, 4, 8]), angles) });
  const feeds = new Map([
    ['positions', { dtype: 'i32' as const, shape: [1, 4], data: Int32Array.from(positions as number[]) }],
    ['q', { dtype: 'f32' as const, shape: [1, 1, 4, 8], data: Float32Array.from((q as number[][]).flat()) }],
  ]);
  const result = evaluate(built, feeds).get('out')!.data;
  expectClose(result, (out as number[][]).flat(), { relative: 2e-6, absolute: 1e-6 });
});

const plain = rotaryFrequencies(8, 10_000);
const scaled = (scaling: Record<string, number | string>) =>
  ropeOf({ model_type: 'llama', rope_theta: 10_000, rope_scaling: scaling }, 8, 64).angles(64, false).at(0);

test('linear scaling divides every frequency', () => {
  expectClose(
    scaled({ rope_type: 'linear', factor: 4 }),
    plain.map((f) => f / 4),
    { relative: 1e-12 },
  );
});

test('llama3 scaling: fast pairs stay, slow pairs are divided, between them it is gradual', () => {
  const options = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 1024,
  };
  const result = scaled({ rope_type: 'llama3', ...options });
  // Turns within 1,024 positions: 163, 16.3, 1.63, 0.163.
  const keep = ((1024 * 0.01) / (2 * Math.PI) - 1) / 3;
  expectClose(result, [1, 0.1, 0.01 * keep + ((1 - keep) * 0.01) / 8, 0.001 / 8], { relative: 1e-9 });
});

test('a scaling it does not know is refused by name', () => {
  expect(() => scaled({ rope_type: 'longrope', factor: 4 })).toThrow(
    'rope_scaling of type "longrope", which is not supported (known: default, linear, dynamic, llama3, yarn)',
  );
});
