/** `pretrain`: next-token prediction over packed windows of text, from random weights or from a model that is there. */
import { textOf } from '../data/shapes.ts';
import { specialTokensOf, stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer } from '../tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../tokenizers/train-tokenizer.ts';
import { estimatePretrain } from './estimates/pretrain.ts';
import { documentStream } from './parts/document-stream.ts';
import { languageModelProgram } from './parts/language-model-program.ts';
import {
  headIsTrained,
  initialize,
  languageModelMetrics,
  supervisedStep,
  trainedModel,
} from './parts/training.ts';
import { dataOption, templateOption, trainingOptions } from './parts/training-options.ts';
import { evaluationBatches, TrainingWindows, windowsIn } from './parts/windows.ts';
import type { Policy, Stage, StageContext } from './stage.ts';
import { StageError } from './stage.ts';

export const pretrain: Stage = {
  entry: {
    name: 'pretrain',
    summary: 'learns to predict the next token of text, from random weights or from a given policy',
    details: `Documents are tokenized, joined with an end token after each, and cut into windows of \`context\` tokens;
every position carries loss. Where no policy reaches the stage it trains a byte-level BPE tokenizer from the same text
first (\`vocabulary\` entries, the template's markers as special tokens) and starts from random weights.

Metrics: \`loss\` (nats a token), \`entropy\`, \`mean_token_accuracy\`; on held-out text \`eval_loss\`, \`eval_perplexity\`,
\`eval_token_accuracy\`, before the first step and after the last.`,
    example: 'pretrain(model=llama(layers=2 width=64 heads=2 context=64) data=text("notes/*.txt") tokens=2M)',
    methods: ['full', 'freeze', 'lora'],
    defaultMethod: 'full',
    reads: [
      { slot: 'policy', required: false },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['policy', 'tokenizer', 'metrics'],
    metrics: ['loss', 'eval_loss', 'eval_perplexity', 'eval_token_accuracy'],
    data: { option: 'data', rows: 'text' },
    options: {
      model: { description: 'model family and sizes', refers: 'model', default: 'llama' },
      ...dataOption('text to learn from: a file is a document, or rows with `text`'),
      ...templateOption,
      vocabulary: {
        description: 'entries of the tokenizer trained here, special tokens included',
        type: 'integer',
        unit: 'count',
        minimum: 258,
        default: 2048,
      },
      tokens: {
        description: 'tokens to train on in all; more than the data has repeats it in another order',
        type: 'integer',
        unit: 'tokens',
        minimum: 1,
        defaultNote: '`epochs` times what the data has',
      },
      epochs: {
        description: 'passes over the data, where `tokens` is not given',
        type: 'number',
        unit: 'epochs',
        exclusiveMinimum: 0,
        default: 8,
      },
      ...trainingOptions({
        lr: 2e-3,
        adapterLr: 5e-3,
        batch: 16,
        schedule: 'cosine',
        warmup: 0.05,
        weightDecay: 0.1,
        beta2: 0.95,
      }),
    },
  },

  estimate: estimatePretrain,

  async run(context) {
    const options = context.job.options;
    const seed = Number(options.seed);
    const policy = await startingPolicy(context, seed);
    const length = policy.family.shape(policy.config).context;
    const rows = Number(options.batch);
    const accumulate = Number(options.accumulate);
    const training = await documentStream(context.rows('data', 'train'), policy.tokenizer);
    const heldOut = await documentStream(context.rows('data', 'test'), policy.tokenizer);
    if (training.length < 2)
      throw new StageError('too-few-rows', 'the training split has no text', { option: 'data' });
    const perStep = rows * accumulate * length;
    const tokens =
      options.tokens === undefined
        ? Number(options.epochs) * windowsIn(training.length, length) * length
        : Number(options.tokens);
    const steps = Math.min(
      Number(options.max_steps ?? Number.POSITIVE_INFINITY),
      Math.max(1, Math.ceil(tokens / perStep)),
    );
    context.message(
      'info',
      `${training.length} tokens of text, ${heldOut.length} held out; vocabulary ${policy.tokenizer.vocabularySize}`,
    );

    const { family, config } = policy;
    const method = context.method(family, config);
    const model = trainedModel(policy, method, seed);
    const headTrainable = headIsTrained(family, config, method);
    const trainer = context.trainer({
      model,
      program: () => languageModelProgram({ family, config, method, batch: rows, length, headTrainable }),
    });
    const windows = new TrainingWindows(training.tokens, length, rows, accumulate, seed);
    const evaluation = heldOut.length > 1 ? evaluationBatches(heldOut.tokens, length, rows) : [];
    const metrics = await context.loop({
      trainer,
      steps,
      async step(step) {
        const { sums, metrics } = await supervisedStep(context, trainer, windows.batches(step), step, steps);
        return {
          ...metrics,
          entropy: sums.get('entropy')!,
          mean_token_accuracy: sums.get('correct')!,
          num_tokens: (step + 1) * perStep,
          epoch: ((step + 1) * perStep) / (windowsIn(training.length, length) * length),
        };
      },
      tokensPerStep: () => perStep,
      ...(evaluation.length > 0 && { evaluate: () => languageModelMetrics(trainer, evaluation) }),
    });
    await context.savePolicy(model);
    return { metrics };
  },
};

/** The policy that reaches the stage, else a new one: tokenizer from the text, weights from the seed. */
async function startingPolicy(context: StageContext, seed: number): Promise<Policy> {
  const { job } = context;
  if (job.inputs.some((i) => i.slot === 'policy')) return context.policy();
  const template = job.template!;
  const files = await trainTokenizer(texts(context), {
    vocabularySize: Number(job.options.vocabulary),
    specialTokens: specialTokensOf(template),
    chatTemplate: template,
  });
  const tokenizer = loadTokenizer(files.json, files.config);
  const family = context.family(job.model!.name);
  const config = family.configure(job.model!.options, {
    vocabularySize: tokenizer.vocabularySize,
    eos: tokenizer.eos,
    pad: tokenizer.pad,
  });
  const weights = new Map(family.parameters(config).map((spec) => [spec.name, initialize(spec, seed)]));
  return {
    family,
    config,
    weights,
    tokenizer,
    tokenizerFiles: files,
    template,
    stop: stopTokensOf(tokenizer, template),
  };
}

async function* texts(context: StageContext): AsyncGenerator<string> {
  for await (const row of context.rows('data', 'train')) yield textOf(row);
}
