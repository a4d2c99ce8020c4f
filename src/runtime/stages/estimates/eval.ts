/** What `eval` would cost. */
import { type RowKind, rowKindOf } from '../../data/shapes.ts';
import { sizeOf } from '../../programs/program.ts';
import { languageModelProgram } from '../parts/language-model-program.ts';
import { rewardProgram } from '../parts/reward-programs.ts';
import { noRewardModel, noRowsIn } from '../parts/unmeasurable.ts';
import type { Estimate, EstimateContext, PlannedModel, PlannedWork } from '../stage.ts';
import { keptRows, withKeptRows } from './kept-rows.ts';
import { lengthsOf } from './lengths.ts';
import { evaluationShapes } from './padded-shapes.ts';
import type { RowLengths } from './row-lengths.ts';
import { sampling } from './sampling.ts';
import { bytesBeside, modelOf } from './sizes.ts';

export async function estimateEval(context: EstimateContext): Promise<Estimate> {
  const { options, inputs } = context.job;
  const model = modelOf(context);
  const { family, config } = model;
  const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
  const rewarded = inputs.some(({ slot }) => slot === 'reward');
  const all = await lengthsOf(
    context,
    'data',
    options.split as 'test',
    {
      name: rewarded ? 'any' : 'any but preferences',
      of(row) {
        const found = rowKindOf(row);
        if (found === 'preference' && !rewarded) throw noRewardModel();
        return found;
      },
    },
    model,
  );
  const { kind } = all;
  if (kind === undefined) throw noRowsIn(String(options.split));
  const rows = all.map((tokens, learned) => [tokens, learned], limit);
  const reward = rewarded ? (context.reward ?? model) : undefined;
  const { work, cacheBytes = 0, steps } = workOn[kind]({ rows, model, reward, options });
  const answered = cacheBytes > 0 ? rows.count * Number(options.max_new_tokens) : 0;
  const estimate = {
    model,
    parameters: {
      total: family.parameters(config).reduce((n, spec) => n + sizeOf(spec.shape), 0),
      trainable: 0,
    },
    steps,
    tokens: Math.round(rows.totalTokens + answered),
    held: { weights: reward ? bytesBeside(reward, model) : 0, cache: cacheBytes },
    work,
    diskBytes: 0,
    notes: [],
    metrics: ['rows', ...measuredOf[kind](options.generate !== false, rewarded)],
  };
  const answers = { tokens: answered, rows: cacheBytes > 0 ? rows.count : 0 };
  return withKeptRows(estimate, keptRows(model, rows.kept, answers));
}

const ofLoss = ['loss', 'perplexity', 'token_accuracy', 'supervised_tokens'];
const rewardOf = (rewarded: boolean) => (rewarded ? ['mean_reward'] : []);

/** Names of the metrics of rows of each kind. */
const measuredOf: {
  readonly [K in RowKind]: (generate: boolean, rewarded: boolean) => readonly string[];
} = {
  text: () => ofLoss,
  completion: (generate, rewarded) =>
    generate ? [...ofLoss, 'exact', 'contains', 'accuracy', ...rewardOf(rewarded)] : ofLoss,
  prompt: (_, rewarded) => rewardOf(rewarded),
  preference: () => ['reward_accuracy'],
};

interface Measured {
  readonly rows: RowLengths;
  readonly model: PlannedModel;
  readonly reward: PlannedModel | undefined;
  readonly options: EstimateContext['job']['options'];
}

interface Work {
  readonly work: readonly PlannedWork[];
  readonly cacheBytes?: number;
  /** Batches of rows. */
  readonly steps: number;
}

const workOn: { readonly [K in RowKind]: (measured: Measured) => Work } = {
  text(measured) {
    const { rows, model, options } = measured;
    if (options.packing === false) return losses(measured);
    const { context: length } = model.family.shape(model.config);
    const batch = Number(options.batch);
    const steps = Math.ceil(rows.totalTokens / (batch * length));
    return { work: [lossWork(measured, { length }, steps)], steps };
  },
  completion(measured) {
    const loss = losses(measured);
    if (measured.options.generate === false) return loss;
    const answered = answers(measured);
    return { ...answered, work: [...loss.work, ...answered.work] };
  },
  prompt: answers,
  preference({ rows, reward, options }) {
    const batch = Number(options.batch);
    const steps = 2 * Math.ceil(rows.count / batch);
    return { work: [judgement(reward!, batch, rows.longest, steps)], steps };
  },
};

function losses(measured: Measured): Work {
  const { rows, model, options } = measured;
  const { context } = model.family.shape(model.config);
  const shapes = evaluationShapes(rows, Number(options.batch), context);
  return {
    work: shapes.map(({ length, learned, batches }) =>
      lossWork(measured, { length, rows: learned }, batches),
    ),
    steps: shapes.reduce((n, { batches }) => n + batches, 0),
  };
}

function lossWork(
  { model: { family, config }, options }: Measured,
  shape: { readonly length: number; readonly rows?: number },
  runs: number,
): PlannedWork {
  const batch = Number(options.batch);
  return { program: languageModelProgram({ family, config, batch, ...shape, headTrainable: false }), runs };
}

/** Greedy answers to all prompts, and what a reward model says of them. */
function answers({ rows, model, reward, options }: Measured): Work {
  const batch = Number(options.batch);
  const maxNewTokens = Number(options.max_new_tokens);
  const steps = Math.ceil(rows.count / batch);
  const { longest } = rows.map((tokens, learned) => [tokens - learned, 0]);
  const prompt = Math.max(1, longest);
  const sampled = sampling(model, { batch, prompt, maxNewTokens, times: steps });
  const judged = reward ? [judgement(reward, Math.min(batch, rows.count), prompt + maxNewTokens, steps)] : [];
  return { work: [...sampled.work, ...judged], cacheBytes: sampled.cacheBytes, steps };
}

function judgement(reward: PlannedModel, batch: number, length: number, runs: number): PlannedWork {
  const { family, config } = reward;
  const most = Math.min(length, family.shape(config).context);
  return { program: rewardProgram({ family, config, batch, length: Math.max(1, most) }), runs };
}
