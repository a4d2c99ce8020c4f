/** `sft`: supervised fine-tuning on prompts and answers; only the answers' tokens carry loss. */

import { estimateSft } from './estimates/sft.ts';
import { emptyAccount, encodeExample, fit, lossMetrics, type Overlong, shareOf } from './parts/examples.ts';
import { fed, frozenPrefix } from './parts/frozen-prefix.ts';
import { languageModelProgram } from './parts/language-model-program.ts';
import { SupervisedBatches, shapeOf } from './parts/padded-batches.ts';
import { report } from './parts/report.ts';
import { type StoredSequences, sequencesFor } from './parts/stored-sequences.ts';
import { headIsTrained, supervisedStep, trainedModel } from './parts/training.ts';
import {
  dataOption,
  modelOption,
  overlongOption,
  templateOption,
  trainingOptions,
} from './parts/training-options.ts';
import type { Policy, Stage, StageContext } from './stage.ts';
import { StageError } from './stage.ts';

export const sft: Stage = {
  entry: {
    name: 'sft',
    summary: 'fine-tunes a policy on prompts and answers; only the answers carry loss',
    details: `Rows are \`{prompt, completion}\` or \`{messages: [{role, content}]}\`. Strings are joined as they are, the end token
after the completion; messages are rendered by the chat template and every assistant turn is learned, its end token
included. Prompts and padding carry no loss, and no logits are computed where there is none. A row without a token to
learn is an error that names file and line.

Metrics: \`loss\` (nats a supervised token), \`entropy\`, \`mean_token_accuracy\`, and the same on held-out rows with the
prefix \`eval_\`.`,
    example: 'sft(lora r=8 targets=q,v; data=jsonl("data/sft.jsonl") lr=1e-3 epochs=3)',
    methods: ['full', 'freeze', 'lora', 'qlora'],
    defaultMethod: 'full',
    reads: [
      { slot: 'policy', required: true },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['policy', 'metrics'],
    metrics: ['loss', 'eval_loss', 'eval_perplexity', 'eval_token_accuracy'],
    data: { option: 'data', rows: 'prompt and completion, or messages' },
    options: {
      ...dataOption('rows with `prompt` and `completion`, or with `messages`'),
      ...modelOption,
      ...templateOption,
      ...overlongOption,
      epochs: {
        description: 'passes over the rows',
        type: 'number',
        unit: 'epochs',
        exclusiveMinimum: 0,
        default: 3,
      },
      ...trainingOptions({
        lr: 1e-3,
        adapterLr: 5e-3,
        batch: 16,
        schedule: 'linear',
        warmup: 0.05,
        weightDecay: 0,
        beta2: 0.999,
        epsilon: 1e-8,
      }),
    },
  },

  estimate: estimateSft,

  async run(context) {
    const options = context.job.options;
    const policy = await context.policy();
    const { family, config } = policy;
    const seed = Number(options.seed);
    const size = Number(options.batch);
    const accumulate = Number(options.accumulate);
    const examples = await readExamples(context, policy, 'train');
    if (examples.count === 0)
      throw new StageError('too-few-rows', 'the training split has no rows', { option: 'data' });
    const heldOut = await readExamples(context, policy, 'test');
    const steps = Math.min(
      Number(options.max_steps ?? Number.POSITIVE_INFINITY),
      Math.max(1, Math.ceil((examples.count * Number(options.epochs)) / (size * accumulate))),
    );

    const method = context.method(policy);
    const model = trainedModel(policy, method, seed);
    const headTrainable = headIsTrained(family, config, method);
    const length = family.shape(config).context;
    const training = new SupervisedBatches(examples, size, accumulate, steps, length, seed);
    const evaluation =
      heldOut.count > 0 ? new SupervisedBatches(heldOut, size, 1, 0, length, seed) : undefined;
    const program = (key: string) => languageModelProgram({ family, config, headTrainable, ...shapeOf(key) });
    const prefix = await frozenPrefix(context, {
      model,
      program: program('1x8'),
      sequences: [examples, heldOut],
      // The last step of one epoch takes a few rows of a second one.
      repeated: (steps - 1) * size * accumulate >= examples.count,
      size,
    });
    const trainer = context.trainer({ model, program: (key) => prefix.program(program(key)) });
    let seen = 0;
    const metrics = await context.loop({
      trainer,
      steps,
      async step(step) {
        const batches = await Promise.all(training.batches(step).map((batch) => prefix.feed(batch)));
        const { sums, metrics } = await supervisedStep(context, trainer, batches, step, steps);
        seen += training.tokens(step);
        return {
          ...metrics,
          entropy: sums.get('entropy')!,
          mean_token_accuracy: shareOf(sums.get('correct')!),
          num_tokens: seen,
          epoch: ((step + 1) * size * accumulate) / examples.count,
        };
      },
      tokensPerStep: (step) => training.tokens(step),
      ...(evaluation && {
        evaluate: async () => lossMetrics(await trainer.evaluate(fed(prefix, evaluation.evaluation()))),
      }),
      state: () => ({ seen }),
      restore: (state) => {
        seen = state.seen ?? 0;
      },
    });
    await context.savePolicy(model);
    return { metrics };
  },
};

async function readExamples(
  context: StageContext,
  policy: Policy,
  split: 'train' | 'test',
): Promise<StoredSequences> {
  const account = emptyAccount();
  const longest = policy.family.shape(policy.config).context;
  const examples = sequencesFor(context, policy.tokenizer);
  for await (const row of context.rows('data', split)) {
    const example = fit(
      encodeExample(row, policy),
      longest,
      context.job.options.overlong as Overlong,
      account,
    );
    if (example) examples.add(example);
  }
  report(context, split, account);
  return examples;
}
