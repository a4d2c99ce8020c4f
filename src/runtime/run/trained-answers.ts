/**
 * What a model answers when its training ends, adapters still beside the weights: kept with its artifact, so that whatever
 * is made of it later can be compared with the model that was trained.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../checkpoints/safetensors.ts';
import type { Executable } from '../executables/executable.ts';
import type { Tensor } from '../programs/ops.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { TrainedModel } from '../stages/stage.ts';
import { comparedIds } from './conversation.ts';
import { answersProgram } from './parity.ts';
import { finishProgram } from './program-passes.ts';

const FILE = 'trained-answers.safetensors';
/** Positions at the end whose logits are kept: they depend on all before them. */
const LAST = 8;

export interface TrainedAnswers {
  readonly ids: Int32Array;
  /** Of the last positions: (n, V), of a reward model (n, 1). */
  readonly logits: Tensor;
}

/** `score`: the head of a reward model. */
export async function keepTrainedAnswers(
  directory: string,
  { policy, method, trainable, frozen }: TrainedModel,
  load: Executable['load'],
  score?: Tensor,
): Promise<void> {
  const ids = comparedIds(policy);
  const program = finishProgram(() => answersProgram(policy, ids.length, score !== undefined), {
    adapt: method,
    quantized: method.quantized,
  });
  // Beside what the stage still holds: weights are read where they lie.
  const executor = await load(program, { frozen, memory: 'small' });
  const feeds = new Map<string, Tensor>([
    ...trainable,
    ...(score === undefined ? [] : [[SCORE, score] as const]),
    ['ids', { dtype: 'i32', shape: [1, ids.length], data: ids }],
  ]);
  try {
    const { data, shape } = (await executor.run(feeds)).get('logits')!;
    const width = shape[1]!;
    const kept = Math.min(LAST, ids.length);
    const logits = (data as Float32Array).slice((ids.length - kept) * width);
    await writeSafetensors(
      join(directory, FILE),
      new Map<string, Tensor>([
        ['ids', { dtype: 'i32', shape: [ids.length], data: ids }],
        ['logits', { dtype: 'f32', shape: [kept, width], data: logits }],
      ]),
    );
  } finally {
    await executor.dispose();
  }
}

/** undefined where the artifact is none of a training. Errors: CheckpointError for a damaged file. */
export async function readTrainedAnswers(directory: string): Promise<TrainedAnswers | undefined> {
  const path = join(directory, FILE);
  if (!existsSync(path)) return undefined;
  const tensors = await readSafetensors(path);
  return { ids: tensors.get('ids')!.data as Int32Array, logits: tensors.get('logits')! };
}
