/** What `ppo` would cost: sampling, three scorings of what was sampled, and the updates. */
import {
  ppoProgram,
  referenceProgram,
  scoreProgram,
  VALUE_BIAS,
  VALUE_WEIGHT,
} from '../parts/ppo-programs.ts';
import { rewardProgram } from '../parts/reward-programs.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { keptRows, withKeptRows } from './kept-rows.ts';
import { lengthsOf } from './lengths.ts';
import { sampling } from './sampling.ts';
import { bytesBeside, methodSizes, modelOf, roundUp } from './sizes.ts';

export async function estimatePpo(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const number = (name: string) => Number(options[name]);
  const model = modelOf(context);
  const { family, config } = model;
  const shape = family.shape(config);
  const sizes = methodSizes(context, model, [
    { name: VALUE_WEIGHT, shape: [1, shape.width] },
    { name: VALUE_BIAS, shape: [1] },
  ]);
  const prompts = await lengthsOf(context, 'prompts', 'train', 'prompt', model);
  const response = number('max_new_tokens');
  const room = shape.context - response;
  const longest = Math.max(1, Math.min(room, prompts.longest));
  const batch = number('batch');
  const size = Math.min(number('minibatch'), batch);
  const steps = Math.min(number('steps'), Number(options.max_steps ?? Number.POSITIVE_INFINITY));
  const length = Math.min(shape.context, roundUp(longest + response, 8));
  const spec = {
    family,
    config,
    batch: size,
    length,
    response,
    temperature: number('temperature'),
  };
  const { quantized, eightBit } = sizes.treatment;
  const chunks = Math.ceil(batch / size);
  const train = ppoProgram({
    ...spec,
    clipRatio: number('clip_ratio'),
    clipValue: number('clip_value'),
    valueWeight: number('value_weight'),
  });
  const besides = sizes.besides;
  const sampled = sampling(model, {
    batch,
    prompt: longest,
    maxNewTokens: response,
    times: steps,
    ...(quantized && { treatment: { adapt: sizes.method, quantized } }),
  });
  const reward = context.reward ?? model;
  // Adapters are merged into copies of what they change, anew for every batch of answers.
  const merged = sizes.method.adapter && !quantized ? 2 * bytesBeside(sizes.made, model) : 0;
  const average = prompts.totalTokens / Math.max(1, prompts.count);
  const estimate = {
    model: sizes.made,
    parameters: {
      total: sizes.parameters.total + shape.width + 1,
      trainable: sizes.parameters.trainable + shape.width + 1,
    },
    steps,
    tokens: Math.round(steps * batch * (average + response)),
    held: {
      ...sizes.held,
      weights: sizes.held.weights + bytesBeside(reward, model) + merged,
      cache: sampled.cacheBytes,
    },
    work: [
      { program: scoreProgram(spec), ...sizes.treatment, runs: steps * chunks, besides },
      { program: referenceProgram(spec), quantized, eightBit, runs: steps * chunks, besides },
      {
        program: rewardProgram({ family: reward.family, config: reward.config, batch: size, length }),
        runs: steps * chunks,
        besides,
      },
      ...sampled.work,
      {
        program: train,
        ...sizes.treatment,
        trainable: [...sizes.method.trainable, VALUE_WEIGHT, VALUE_BIAS],
        runs: steps * chunks * number('epochs'),
        besides,
      },
    ],
    diskBytes: sizes.diskBytes,
    scratchBytes: sizes.scratchBytes,
    notes: sizes.notes,
  };
  return withKeptRows(estimate, keptRows(model, prompts.kept));
}
