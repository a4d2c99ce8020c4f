/** What `eval` would cost. */
import { rowKindOf } from '../../data/shapes.ts';
import { sizeOf } from '../../programs/program.ts';
import { languageModelProgram } from '../parts/language-model-program.ts';
import { noRewardModel, noRowsIn } from '../parts/unmeasurable.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { lengthsOf, longestIn, total } from './lengths.ts';
import { modelOf, roundUp } from './sizes.ts';

export async function estimateEval(context: EstimateContext): Promise<Estimate> {
  const { options } = context.job;
  const model = modelOf(context);
  const { family, config, tokensPerByte } = model;
  const shape = family.shape(config);
  const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
  const rewarded = context.job.inputs.some(({ slot }) => slot === 'reward');
  let text = false;
  const all = await lengthsOf(
    context,
    'data',
    options.split as 'test',
    (row) => {
      const kind = rowKindOf(row);
      if (kind === 'preference' && !rewarded) throw noRewardModel();
      text ||= kind === 'text';
      return kind;
    },
    tokensPerByte,
  );
  if (all.length === 0) throw noRowsIn(String(options.split));
  const lengths = all.slice(0, limit);
  const batch = Number(options.batch);
  const tokens = total(lengths, 'tokens');
  const longest = Math.min(shape.context, roundUp(Math.max(1, longestIn(lengths)), 8));
  const length = text ? shape.context : longest;
  const runs = text ? Math.ceil(tokens / (batch * length)) : Math.ceil(lengths.length / batch);
  const forward = languageModelProgram({ family, config, batch, length, headTrainable: false });
  const answers = text || options.generate === false ? 0 : Number(options.max_new_tokens) / length;
  return {
    model,
    parameters: {
      total: family.parameters(config).reduce((n, spec) => n + sizeOf(spec.shape), 0),
      trainable: 0,
    },
    steps: runs,
    tokens: Math.round(tokens + lengths.length * (answers > 0 ? Number(options.max_new_tokens) : 0)),
    work: [{ program: forward, runs: Math.ceil(runs * (1 + answers)) }],
    diskBytes: 0,
    notes: [],
  };
}
