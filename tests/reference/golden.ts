/** The golden checkpoints, read. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import { qwen2 } from '../../src/runtime/models/qwen2.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';

export const goldenFamilies = { gpt2, llama, qwen2 } as const;
export type GoldenName = keyof typeof goldenFamilies;
export const goldenNames = Object.keys(goldenFamilies) as GoldenName[];

export interface Trajectory {
  readonly trainable: number;
  readonly losses: readonly number[];
  readonly grad_norms: readonly number[];
}

export interface Golden {
  readonly name: GoldenName;
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly adapter: ReadonlyMap<string, Tensor>;
  /** A tensor of expected.safetensors. */
  expected(key: string): Tensor;
  /** A tensor of grads.safetensors. */
  gradient(key: string): Tensor;
  /** expected.json */
  readonly scalars: {
    readonly [key: string]: number;
  } & { readonly train: { readonly [method: string]: Trajectory } };
}

const folder = (name: GoldenName, file: string) =>
  fileURLToPath(new URL(`./golden/${name}/${file}`, import.meta.url));

export const goldenFile = (name: GoldenName, file: string): Promise<Map<string, Tensor>> =>
  readSafetensors(folder(name, file));

export async function readGolden(name: GoldenName): Promise<Golden> {
  const expected = await goldenFile(name, 'expected.safetensors');
  const gradients = await goldenFile(name, 'grads.safetensors');
  const json = (file: string) => JSON.parse(readFileSync(folder(name, file), 'utf8'));
  const pick = (from: Map<string, Tensor>) => (key: string) => {
    const tensor = from.get(key);
    if (tensor === undefined) throw new Error(`the golden data of ${name} have no ${key}`);
    return tensor;
  };
  return {
    name,
    family: goldenFamilies[name],
    config: json('config.json'),
    weights: await goldenFile(name, 'model.safetensors'),
    adapter: await goldenFile(name, 'adapter_model.safetensors'),
    expected: pick(expected),
    gradient: pick(gradients),
    scalars: json('expected.json'),
  };
}
