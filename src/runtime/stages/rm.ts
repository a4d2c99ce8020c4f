/** `rm`: a reward model from preferences, by the Bradley–Terry loss on a scalar head at the last token. */
import { preferenceOf } from '../data/shapes.ts';
import type { Metrics } from '../run/events.ts';
import { estimateRm } from './estimates/rm.ts';
import { emptyAccount, type Overlong, shareOf } from './parts/examples.ts';
import { fed, frozenPrefix } from './parts/frozen-prefix.ts';
import { sizesOf } from './parts/padded-batches.ts';
import { encodePair, PairBatches } from './parts/pairs.ts';
import { report } from './parts/report.ts';
import { preferenceProgram, SCORE } from './parts/reward-programs.ts';
import { StoredPairs } from './parts/stored-pairs.ts';
import { sequencesFor } from './parts/stored-sequences.ts';
import { initialize, supervisedStep, trainedModel } from './parts/training.ts';
import {
  dataOption,
  modelOption,
  overlongOption,
  templateOption,
  trainingOptions,
} from './parts/training-options.ts';
import type { Batch, Policy, Stage, StageContext, Trainer } from './stage.ts';
import { StageError } from './stage.ts';

export const rm: Stage = {
  entry: {
    name: 'rm',
    summary: 'trains a reward model on preferred and rejected answers',
    details: `loss = −log σ(r(chosen) − r(rejected) − margin) + centering · (r(chosen) + r(rejected))², averaged over pairs
(Bradley–Terry; InstructGPT, https://arxiv.org/abs/2203.02155 section 3.5): it learns from comparisons, which of two
answers is better, not from scores that people gave. The reward is a linear head on the hidden state of the last real
token, so a whole answer gets one number; N(0, 1 / √(width + 1)) at the start. The head is saved with the adapter or the
model. More than one epoch soon learns the pairs by heart.

Metrics: \`loss\`, \`accuracy\` (ties count as wrong), \`margin\`, \`mean_reward\`, \`min_reward\`, \`max_reward\`, and with the prefix
\`eval_\` the same on held-out pairs.`,
    example: 'rm(lora r=8; data=jsonl("data/preferences.jsonl") epochs=2)',
    methods: ['full', 'freeze', 'lora', 'qlora'],
    defaultMethod: 'lora',
    reads: [
      { slot: 'policy', required: true },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['reward', 'metrics'],
    metrics: ['loss', 'accuracy', 'margin', 'eval_loss', 'eval_accuracy', 'eval_margin'],
    data: { option: 'data', rows: 'prompt, chosen and rejected' },
    options: {
      ...dataOption(
        'rows with `prompt`, `chosen` and `rejected` (text or messages), and a `margin` where there is one',
      ),
      ...modelOption,
      ...templateOption,
      ...overlongOption,
      margin: {
        description: 'use the column `margin` of the rows: by how much the chosen answer should be better',
        type: 'boolean',
        default: false,
      },
      centering: {
        description:
          'weight of the squared sum of both rewards, which keeps rewards near zero (0.01 is usual)',
        type: 'number',
        minimum: 0,
        default: 0,
      },
      epochs: {
        description: 'passes over the pairs',
        type: 'number',
        unit: 'epochs',
        exclusiveMinimum: 0,
        default: 1,
      },
      ...trainingOptions({
        lr: 1e-3,
        adapterLr: 2e-3,
        batch: 16,
        schedule: 'linear',
        warmup: 0.05,
        weightDecay: 0,
        beta2: 0.999,
        epsilon: 1e-8,
      }),
    },
  },

  estimate: estimateRm,

  async run(context) {
    const options = context.job.options;
    const policy = await context.policy();
    const { family, config } = policy;
    const seed = Number(options.seed);
    const size = Number(options.batch);
    const accumulate = Number(options.accumulate);
    const pairs = await readPairs(context, policy, 'train');
    if (pairs.count === 0)
      throw new StageError('too-few-rows', 'the training split has no pairs', { option: 'data' });
    const heldOut = await readPairs(context, policy, 'test');
    const steps = Math.min(
      Number(options.max_steps ?? Number.POSITIVE_INFINITY),
      Math.max(1, Math.ceil((pairs.count * Number(options.epochs)) / (size * accumulate))),
    );
    const { width, context: length } = family.shape(config);
    const score = initialize(
      { name: SCORE, shape: [1, width], initializer: { kind: 'normal', std: 1 / Math.sqrt(width + 1) } },
      seed,
    );
    const method = context.method(policy);
    const model = trainedModel(policy, method, seed, new Map([[SCORE, score]]));
    const training = new PairBatches(pairs, size, accumulate, length, seed);
    const evaluation = heldOut.count > 0 ? new PairBatches(heldOut, size, 1, length, seed) : undefined;
    const program = (key: string) => {
      const [batch, tokens] = sizesOf(key);
      const body = { family, config, batch: 2 * batch, length: tokens };
      return preferenceProgram(body, Number(options.centering));
    };
    const prefix = await frozenPrefix(context, {
      model,
      program: program('1x8'),
      sequences: [pairs.answers, heldOut.answers],
      // The last step of one epoch takes a few pairs of a second one.
      repeated: (steps - 1) * size * accumulate >= pairs.count,
      size: 2 * size,
    });
    const trainer = context.trainer({ model, program: (key) => prefix.program(program(key)) });
    const metrics = await context.loop({
      trainer,
      steps,
      async step(step) {
        const batches = await Promise.all(training.batches(step).map((batch) => prefix.feed(batch)));
        const { sums, metrics } = await supervisedStep(context, trainer, batches, step, steps);
        return {
          ...metrics,
          ...preferenceMetrics(sums),
          epoch: ((step + 1) * size * accumulate) / pairs.count,
        };
      },
      ...(evaluation && {
        evaluate: () => evaluatePairs(trainer, fed(prefix, evaluation.evaluation())),
      }),
    });
    await context.saveReward(model, model.trainable.get(SCORE)!);
    return { metrics };
  },
};

function preferenceMetrics(sums: ReadonlyMap<string, number>): Metrics {
  return {
    accuracy: shareOf(sums.get('accuracy')!),
    margin: sums.get('margin')!,
    mean_reward: (sums.get('reward_chosen')! + sums.get('reward_rejected')!) / 2,
    min_reward: sums.get('min:rewards')!,
    max_reward: sums.get('max:rewards')!,
  };
}

async function evaluatePairs(trainer: Trainer, batches: AsyncIterable<Batch>): Promise<Metrics> {
  const sums = await trainer.evaluate(batches);
  return { loss: sums.get('loss')!, ...preferenceMetrics(sums) };
}

async function readPairs(
  context: StageContext,
  policy: Policy,
  split: 'train' | 'test',
): Promise<StoredPairs> {
  const account = emptyAccount();
  const { overlong, margin } = context.job.options;
  const longest = policy.family.shape(policy.config).context;
  const pairs = new StoredPairs(sequencesFor(context, policy.tokenizer));
  for await (const row of context.rows('data', split)) {
    const pair = encodePair(
      row,
      preferenceOf(row),
      policy,
      longest,
      overlong as Overlong,
      account,
      margin === true,
    );
    if (pair) pairs.add(pair);
  }
  report(context, split, account);
  return pairs;
}
