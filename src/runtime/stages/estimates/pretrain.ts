/** What `pretrain` would cost. */
import { languageModelProgram } from '../parts/language-model-program.ts';
import { headIsTrained } from '../parts/training.ts';
import { windowsIn } from '../parts/windows.ts';
import type { Estimate, EstimateContext, PlannedModel } from '../stage.ts';
import { lengthsOf, total } from './lengths.ts';
import { cap, evaluationRuns, methodSizes } from './sizes.ts';

/** Bytes of the tokenizer's file for an entry of the vocabulary and its merge. */
const TOKENIZER_BYTES_AN_ENTRY = 60;

export async function estimatePretrain(context: EstimateContext): Promise<Estimate> {
  const { job } = context;
  const model = context.model ?? (await newModel(context));
  const { family, config, tokensPerByte } = model;
  const { context: length, vocabularySize } = family.shape(config);
  const { method, parameters, diskBytes, besides } = methodSizes(context, model);
  const training = total(await lengthsOf(context, 'data', 'train', 'text', tokensPerByte), 'tokens');
  const heldOut = total(await lengthsOf(context, 'data', 'test', 'text', tokensPerByte), 'tokens');
  const batch = Number(job.options.batch);
  const perStep = batch * Number(job.options.accumulate) * length;
  const tokens =
    job.options.tokens === undefined
      ? Number(job.options.epochs) * windowsIn(training, length) * length
      : Number(job.options.tokens);
  const steps = cap(tokens / perStep, context);
  const spec = {
    family,
    config,
    method,
    batch,
    length,
    headTrainable: headIsTrained(family, config, method),
  };
  const forward = languageModelProgram(spec);
  const evaluations = evaluationRuns(context, Math.ceil(heldOut / (batch * length)), steps);
  return {
    model,
    parameters,
    steps,
    tokens: steps * perStep,
    work: [
      {
        program: forward,
        trainable: method.trainable,
        runs: steps * Number(job.options.accumulate),
        besides,
      },
      { program: forward, runs: evaluations, besides },
    ],
    diskBytes: diskBytes + vocabularySize * TOKENIZER_BYTES_AN_ENTRY,
    notes: context.model ? [] : [`tokens are estimated: the tokenizer is trained by this stage`],
  };
}

async function newModel(context: EstimateContext): Promise<PlannedModel> {
  const { job } = context;
  const family = context.family(job.model!.name);
  const size = Number(job.options.vocabulary);
  const config = family.configure(job.model!.options, { vocabularySize: size, eos: 0, pad: 1 });
  return { family, config, tokensPerByte: await context.tokensPerByte('data', size) };
}
