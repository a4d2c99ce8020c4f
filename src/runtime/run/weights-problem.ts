/** A model's directory without weights: enough for a plan, and not for more. */
import type { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { hasWeights, noWeights } from '../checkpoints/checkpoint-tensors.ts';
import { findModelFile } from '../checkpoints/model-files.ts';
import { ADAPTER_FILES } from './adapter-directory.ts';

export const withoutWeights = (directory: string): Promise<CheckpointError> =>
  noWeights(directory, 'no model.safetensors, no adapter_model.safetensors');

/** What opening a directory would fail with for want of weights; undefined where they, or those of an adapter, are there. */
export async function weightsProblem(directory: string): Promise<CheckpointError | undefined> {
  if ((await hasWeights(directory)) || (await findModelFile(directory, ADAPTER_FILES[0]))) return undefined;
  return withoutWeights(directory);
}
