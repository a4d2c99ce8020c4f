/** An adapter in PEFT's layout, on the base that it was made for. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import { noWeights } from '../checkpoints/checkpoint-tensors.ts';
import { findModelFile } from '../checkpoints/model-files.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { checkPeft } from '../methods/check-peft.ts';
import { peftMerge } from '../methods/merge-peft.ts';
import type { MethodTarget } from '../methods/method.ts';
import { PeftError } from '../methods/peft-error.ts';
import type { ModelConfig } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { LazyWeights } from '../stages/lazy-weights.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import { readObject } from './directory-files.ts';
import { familyOf, turnedInCodes } from './model-directory.ts';
import { withChanged, withMerged } from './weights.ts';

export const ADAPTER_FILES = ['adapter_model.safetensors', 'adapter_config.json'] as const;
export const ADAPTER_HEAD = `base_model.model.${SCORE}`;

export interface AdaptedModel {
  /** The base's with the adapter folded in; what it changes is computed when it is asked for. */
  readonly weights: LazyWeights;
  readonly score: Tensor | undefined;
}

/**
 * @throws CheckpointError for a damaged file, a setting that ftc does not compute, a tensor that has no place in the base
 * or another shape there.
 */
export async function openAdapterOn(
  directory: string,
  config: ModelConfig,
  base: LazyWeights,
): Promise<AdaptedModel> {
  const file = await findModelFile(directory, ADAPTER_FILES[0]);
  if (file === undefined) throw await noWeights(directory, `no ${ADAPTER_FILES[0]}`);
  const tensors = await readSafetensors(file);
  refuseNonFloats(file, tensors);
  const settings = await adapterSettings(directory);
  try {
    const { replaced, head } = checkPeft(targetOf(config), tensors, settings, SCORE);
    const plain = replaced.size === 0 ? base : withChanged(base, replaced);
    const merge = peftMerge(plain.unkept(), tensors, settings, turnedInCodes(config));
    return { weights: withMerged(plain, merge), score: head };
  } catch (error) {
    if (!(error instanceof PeftError)) throw error;
    throw new CheckpointError(directory, error.message, undefined, error.help);
  }
}

/** @throws CheckpointError where there is no adapter_config.json, or it is not a JSON object */
export const adapterSettings = async (directory: string): Promise<Record<string, Json>> =>
  (await readObject(directory, ADAPTER_FILES[1])) as Record<string, Json>;

function targetOf(config: ModelConfig): MethodTarget {
  const family = familyOf(config);
  return {
    config,
    parameters: family.parameters(config),
    linears: family.linears(config),
    blocks: family.blocks(config),
  };
}

function refuseNonFloats(file: string, tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, { dtype }] of tensors)
    if (dtype !== 'f32')
      throw new CheckpointError(file, `the tensor ${quoted(name)} holds ${dtype} numbers, not floats`, name);
}

/**
 * The directory of the base that adapter_config.json names, where it is on this machine: as it is written, beside the
 * adapter, or from here.
 * @throws CheckpointError where it is not
 */
export async function namedBase(directory: string): Promise<string> {
  const name = (await adapterSettings(directory)).base_model_name_or_path;
  if (typeof name !== 'string' || name === '')
    throw new CheckpointError(directory, 'is an adapter whose adapter_config.json names no base', undefined, [
      'name the base: `local("BASE" adapter="DIR")`',
    ]);
  const places = [resolve(directory, name), resolve(name)];
  const found = places.find((place) => existsSync(join(place, 'config.json')));
  if (found !== undefined) return found;
  const call = isHubName(name) ? `hf("${name}" adapter="DIR")` : 'local("BASE" adapter="DIR")';
  throw new CheckpointError(
    directory,
    `is an adapter of ${quoted(name)}, which is no model's directory on this machine`,
    undefined,
    [`name the base: \`${call}\``],
  );
}

const isHubName = (name: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name);

/**
 * Whether the base that is given can be the one that the adapter names. Names of a hub are compared with each other, and
 * with directories in its cache; another directory may hold a copy of anything, and is left to the shapes.
 * @param given `org/name`, or a directory
 * @throws CheckpointError that says both names
 */
export async function checkBaseName(directory: string, given: string): Promise<void> {
  const named = (await adapterSettings(directory)).base_model_name_or_path;
  if (typeof named !== 'string' || named === '' || existsSync(join(resolve(directory, named), 'config.json')))
    return;
  const [theirs, ours] = [hubNameOf(named), hubNameOf(given)];
  if (theirs === undefined || ours === undefined || theirs.toLowerCase() === ours.toLowerCase()) return;
  throw new CheckpointError(
    directory,
    `is an adapter of ${quoted(named)}, not of ${quoted(given)}`,
    undefined,
    [`open it on its base: \`hf("${theirs}" adapter="${basename(directory)}")\``],
  );
}

/** `org/name`, also of a directory in a hub's cache. */
function hubNameOf(name: string): string | undefined {
  const cached = /models--([^/\\]+)--([^/\\]+)[/\\]snapshots[/\\]/.exec(name);
  if (cached) return `${cached[1]}/${cached[2]}`;
  return isHubName(name) && !existsSync(name) ? name : undefined;
}
