/** The checkpoints of tests/reference/models, read as a user's directory is: config.json, weights, what transformers computes. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { models } from '../../src/runtime/catalog.ts';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import { checkTensors } from '../../src/runtime/models/check-tensors.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import { openConfig } from '../../src/runtime/models/open-config.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';

const root = new URL('./models/', import.meta.url);
export const publishedNames = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

export interface PublishedModel {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Tensors of expected.safetensors; see make.py. */
  readonly expected: ReadonlyMap<string, Tensor>;
  readonly loss: number;
}

export const publishedConfig = (name: string): { readonly [key: string]: never } =>
  JSON.parse(readFileSync(new URL(`${name}/config.json`, root), 'utf8'));

/** Errors: Error where the weights are not those of the config. */
export async function readPublished(name: string): Promise<PublishedModel> {
  const file = (path: string) => fileURLToPath(new URL(`${name}/${path}`, root));
  const { family, config } = openConfig(publishedConfig(name), Object.values(models));
  const stored = await readSafetensors(file('model.safetensors'));
  const checked = checkTensors(
    family,
    config,
    [...stored].map(([n, { shape }]) => [n, shape] as const),
  );
  if (checked.problems.length > 0) throw new Error(JSON.stringify(checked.problems));
  return {
    family,
    config,
    weights: new Map([...checked.stored].map(([weight, from]) => [weight, stored.get(from)!])),
    expected: await readSafetensors(file('expected.safetensors')),
    loss: JSON.parse(readFileSync(file('expected.json'), 'utf8')).loss,
  };
}
