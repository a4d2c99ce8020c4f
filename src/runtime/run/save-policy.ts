import { join } from 'node:path';
import { writeSafetensors } from '../checkpoints/safetensors.ts';
import type { AppliedMethod } from '../methods/method.ts';
import type { Tensor } from '../programs/ops.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import { addedTensors, baseAsRead } from '../stages/parts/training.ts';
import type { TrainedModel } from '../stages/stage.ts';
import { ADAPTER_FILES, ADAPTER_HEAD } from './adapter-directory.ts';
import { writeBeside, writeJson } from './model-files-written.ts';
import { BASE_LINK, type Link, WHOLE } from './policies.ts';

/** The base weights with the trained ones in their place; heads and adapters left out. */
function wholeWeights({ policy, trainable }: TrainedModel): Map<string, Tensor> {
  return new Map([...policy.weights].map(([name, value]) => [name, trainable.get(name) ?? value]));
}

async function writeAdapter(
  directory: string,
  model: TrainedModel,
  base: string,
  heads: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const { config, export: exported } = model.method.adapter!;
  await writeSafetensors(
    join(directory, ADAPTER_FILES[0]),
    new Map([...exported(addedTensors(model), baseAsRead(model.policy, model.method)), ...heads]),
  );
  await writeJson(
    directory,
    ADAPTER_FILES[1],
    heads.size > 0 ? { ...config, modules_to_save: ['score'], task_type: 'SEQ_CLS' } : config,
  );
  await writeJson(directory, BASE_LINK, linkTo(base, model.method));
}

/**
 * The base, and the form in which it was read: an adapter trained beside codes belongs to their values. A weight that is
 * codes and adapters in the base already was read as it is.
 */
function linkTo(base: string, { quantized = new Map() }: AppliedMethod): Link {
  const anew = [...quantized].filter(([, { beside }]) => beside === undefined);
  const [first] = anew;
  return first === undefined
    ? { base }
    : { base, quantized: { ...first[1], weights: anew.map(([name]) => name) } };
}

/** `base`: hash of the artifact that the policy came from; an adapter is written where there is one to stand on. */
export async function savePolicy(
  directory: string,
  model: TrainedModel,
  base: string | undefined,
): Promise<void> {
  await writeBeside(directory, model.policy);
  if (model.method.adapter && base !== undefined) return writeAdapter(directory, model, base, new Map());
  const changed = model.method.adapter?.merge(model.policy.weights, addedTensors(model)) ?? new Map();
  await writeSafetensors(join(directory, WHOLE), new Map([...wholeWeights(model), ...changed]));
}

export async function saveReward(
  directory: string,
  model: TrainedModel,
  score: Tensor,
  base: string | undefined,
): Promise<void> {
  await writeBeside(directory, model.policy);
  if (model.method.adapter && base !== undefined)
    return writeAdapter(directory, model, base, new Map([[ADAPTER_HEAD, score]]));
  await writeSafetensors(join(directory, WHOLE), new Map([...wholeWeights(model), [SCORE, score]]));
}
