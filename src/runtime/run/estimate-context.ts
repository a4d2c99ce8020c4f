/** What a stage's estimate is given: data, methods and the models that reach it. */
import type { Job } from '../../compiler/graph/graph.ts';
import { models } from '../catalog.ts';
import { openData } from '../data/open-data.ts';
import type { EstimateContext, PlannedModel } from '../stages/stage.ts';
import { appliedMethod } from './applied-method.ts';
import { appliedOptimizer } from './applied-optimizer.ts';
import { sampleTokensPerByte } from './tokens-per-byte.ts';

/** `root` is the directory of the pipeline file. */
export function estimateContext(
  job: Job,
  root: string,
  model: PlannedModel | undefined,
  reward: PlannedModel | undefined,
): EstimateContext {
  const rows: EstimateContext['rows'] = (option, split) => openData(job.data[option]!, { root, split });
  return {
    job,
    ...(model && { model }),
    ...(reward && { reward }),
    family: (name) => models[name]!,
    method: appliedMethod(job),
    optimizerBytes: (shapes) => appliedOptimizer(job, { shapes, openPages }).stateBytes(shapes),
    rows,
    tokensPerByte: (option, size) => sampleTokensPerByte(rows(option, 'train'), size),
  };
}

const openPages = (): never => {
  throw new Error('an estimate keeps no state');
};
