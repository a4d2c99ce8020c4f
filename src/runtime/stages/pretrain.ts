/** `pretrain`: next-token prediction over text, packed or document by document, from random weights or from a model that is there. */
import { textOf } from '../data/shapes.ts';
import { specialTokensOf, stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer } from '../tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../tokenizers/train-tokenizer.ts';
import { estimatePretrain, noTextToLearn } from './estimates/pretrain.ts';
import { documentStream } from './parts/document-stream.ts';
import { lossMetrics, shareOf } from './parts/examples.ts';
import { fed, frozenPrefix } from './parts/frozen-prefix.ts';
import { languageModelProgram } from './parts/language-model-program.ts';
import { learnedTokens, shapeOf } from './parts/padded-batches.ts';
import { packed, separate } from './parts/text-course.ts';
import { headIsTrained, initialize, supervisedStep, trainedModel } from './parts/training.ts';
import { dataOption, packingOption, templateOption, trainingOptions } from './parts/training-options.ts';
import type { Policy, Stage, StageContext } from './stage.ts';

export const pretrain: Stage = {
  entry: {
    name: 'pretrain',
    summary: 'learns to predict the next token of text, from random weights or from a given policy',
    details: `Documents are tokenized, joined with an end token after each, and cut into windows of \`context\` tokens;
every position carries loss. With \`packing=false\` each document is a padded sequence of its own instead, as prompts and
their answers are in later stages: what short, unrelated rows need to be learned in few steps. Where no policy reaches the stage it trains a byte-level BPE tokenizer from the same text
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
      model: { description: 'model family and sizes', refers: 'model', opens: 'policy', default: 'llama' },
      ...dataOption('text to learn from: a file is a document, or rows with `text`'),
      ...templateOption,
      ...packingOption,
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
        epsilon: 1e-8,
      }),
    },
  },

  estimate: estimatePretrain,

  async run(context) {
    const options = context.job.options;
    const seed = Number(options.seed);
    const policy = await startingPolicy(context, seed);
    const { family, config, tokenizer } = policy;
    const { context: length } = family.shape(config);
    const [batch, accumulate] = [Number(options.batch), Number(options.accumulate)];
    const read = async (split: 'train' | 'test') => {
      const tokens = await documentStream(context, context.rows('data', split), tokenizer);
      return { tokens, end: tokenizer.eos };
    };
    const training = await read('train');
    const heldOut = await read('test');
    if (training.tokens.length < 2) throw noTextToLearn();
    context.message(
      'info',
      `${training.tokens.length} tokens of text, ${heldOut.tokens.length} held out; vocabulary ${tokenizer.vocabularySize}`,
    );
    const layout = options.packing === false ? separate : packed;
    const { steps, ...course } = layout.course(training, {
      context: length,
      batch,
      accumulate,
      seed,
      epochs: Number(options.epochs),
      tokens: options.tokens === undefined ? undefined : Number(options.tokens),
      maxSteps: Number(options.max_steps ?? Number.POSITIVE_INFINITY),
    });
    const evaluation = layout.evaluation(heldOut, length, batch);

    const method = context.method(policy);
    const model = trainedModel(policy, method, seed);
    const headTrainable = headIsTrained(family, config, method);
    const program = (key: string) => languageModelProgram({ family, config, headTrainable, ...shapeOf(key) });
    const { sequences } = course;
    const prefix = await frozenPrefix(context, {
      model,
      program: program('1x8'),
      sequences: [sequences, evaluation?.sequences].flatMap((some) => some ?? []),
      // Windows lie elsewhere in every pass.
      repeated: sequences !== undefined && (steps - 1) * batch * accumulate >= sequences.lengths.length,
      size: batch,
    });
    const trainer = context.trainer({ model, program: (key) => prefix.program(program(key)) });
    let seen = 0;
    const metrics = await context.loop({
      trainer,
      steps,
      async step(step) {
        const batches = await Promise.all(course.batches(step).map((one) => prefix.feed(one)));
        const { sums, metrics } = await supervisedStep(context, trainer, batches, step, steps);
        for (const batch of batches) seen += learnedTokens(batch);
        return {
          ...metrics,
          entropy: sums.get('entropy')!,
          mean_token_accuracy: shareOf(sums.get('correct')!),
          num_tokens: seen,
          epoch: (step + 1) * course.epochsPerStep,
        };
      },
      tokensPerStep: () => course.tokensPerStep,
      ...(evaluation && {
        evaluate: async () => lossMetrics(await trainer.evaluate(fed(prefix, evaluation.batches()))),
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
