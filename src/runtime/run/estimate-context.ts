/** What a stage's estimate is given: data, methods and the models that reach it. */
import type { Job } from '../../compiler/graph/graph.ts';
import { models } from '../catalog.ts';
import { openData } from '../data/open-data.ts';
import type { RowLengths } from '../stages/estimates/row-lengths.ts';
import type { EstimateContext, PlannedModel } from '../stages/stage.ts';
import { appliedMethod } from './applied-method.ts';
import { appliedOptimizer } from './applied-optimizer.ts';
import { checkModel } from './check-model.ts';
import { plannedModel } from './existing-model.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';
import { readConfigAndTokenizer } from './policies.ts';
import { sampleTokensPerByte } from './tokens-per-byte.ts';
import { weightsProblem } from './weights-problem.ts';

/** Of a row that is longer than what is counted. */
const TOKENS_A_BYTE = 0.3;

/** `root` is the directory of the pipeline file; `made`: what earlier estimates of the job have read of its data. */
export function estimateContext(
  job: Job,
  root: string,
  model: PlannedModel | undefined,
  reward: PlannedModel | undefined,
  made: Map<string, RowLengths> = new Map(),
): EstimateContext {
  const rows: EstimateContext['rows'] = (option, split) => openData(job.data[option]!, { root, split });
  return {
    job,
    ...(model && { model }),
    ...(reward && { reward }),
    family: (name) => models[name]!,
    opened: () => openedModel(job, root),
    method: appliedMethod(job),
    optimizerBytes: (shapes) => appliedOptimizer(job, { shapes, openPages }).stateBytes(shapes),
    rows,
    async lengths(option, split, _, read) {
      const name = `${option} ${split}`;
      const found = made.get(name) ?? (await read());
      made.set(name, found);
      return found;
    },
    tokensPerByte: (option, size) => sampleTokensPerByte(rows(option, 'train'), size),
  };
}

async function openedModel(job: Job, root: string) {
  const model = await plannedModel(job, root);
  const { directory, commit, adapter } = model;
  const lacking = await weightsProblem(directory);
  // A hub's weights may be here in part: without an adapter to be held to them they are left to the run.
  if (lacking === undefined && (commit === undefined || adapter !== undefined)) await checkModel(model);
  const { family, config, tokenizer, template } = await readConfigAndTokenizer(directory);
  const problem = commit === undefined ? lacking : undefined;
  // A model's sizes are in its config.json: without anything else it is planned all the same.
  const guessed = problem !== undefined && lacksTokenizer({ tokenizer });
  return {
    family,
    config,
    ...(!guessed && { tokenizer }),
    template,
    tokensPerByte: TOKENS_A_BYTE,
    notes: [
      commit === undefined ? `reads ${directory}` : `revision ${commit}`,
      ...(problem ? ['its weights are not here: it is planned from config.json, and cannot be run'] : []),
      ...(guessed ? [`no tokenizer is here: tokens are estimated, ${TOKENS_A_BYTE} a byte of text`] : []),
    ],
    ...(problem && { problem }),
  };
}

const openPages = (): never => {
  throw new Error('an estimate keeps no state');
};
