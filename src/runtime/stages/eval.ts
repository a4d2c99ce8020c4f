/** `eval`: loss and answers on held-out rows. */

import type { Row } from '../data/row.ts';
import { preferenceOf, promptCompletionOf, type RowKind, rowKindOf, textOf } from '../data/shapes.ts';
import { greedySampler } from '../generation/rollout.ts';
import type { Metrics, Sample } from '../run/events.ts';
import { estimateEval } from './estimates/eval.ts';
import {
  answerOf,
  emptyAccount,
  encodeExample,
  encodeQuestion,
  fit,
  type Overlong,
} from './parts/examples.ts';
import { languageModelProgram } from './parts/language-model-program.ts';
import { SupervisedBatches, sizesOf } from './parts/padded-batches.ts';
import { encodePair, PairBatches } from './parts/pairs.ts';
import { rewardProgram, SCORE } from './parts/reward-programs.ts';
import { runBatches } from './parts/training.ts';
import { dataOption, overlongOption, seedOption, templateOption } from './parts/training-options.ts';
import { evaluationBatches, TokenStream } from './parts/windows.ts';
import { report } from './sft.ts';
import type { Batch, Policy, Stage, StageContext } from './stage.ts';
import { StageError } from './stage.ts';

export const evaluation: Stage = {
  entry: {
    name: 'eval',
    summary: 'measures a policy on held-out rows: loss, accuracy of its answers, reward',
    details: `What is measured depends on the rows. Text: \`loss\`, \`perplexity\`, \`token_accuracy\`. Prompts with answers: the same
over the answers' tokens, and on greedy answers \`exact\` (equal to the expected answer, white space folded) and \`contains\`
(the expected text, or the row's \`answer\` column, stands in the answer); \`accuracy\` is the one that \`match\` names.
Preferences, where a reward model reaches the stage: \`reward_accuracy\`. Where a reward model exists and answers were made,
\`mean_reward\`. \`samples\` answers are kept for people to read.`,
    example: 'quick: eval(data=jsonl("data/questions.jsonl") split=test match=contains)',
    methods: [],
    reads: [
      { slot: 'policy', required: true },
      { slot: 'reward', required: false },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['metrics'],
    metrics: [
      'loss',
      'perplexity',
      'token_accuracy',
      'accuracy',
      'exact',
      'contains',
      'mean_reward',
      'reward_accuracy',
      'rows',
    ],
    data: { option: 'data', rows: 'text, prompt and completion, messages, or preferences' },
    options: {
      ...dataOption('rows to measure on'),
      ...templateOption,
      ...overlongOption,
      split: {
        description: 'which side of the data',
        type: 'string',
        enum: ['test', 'train', 'all'],
        default: 'test',
      },
      limit: {
        description: 'rows at most, the first ones; all where not given',
        type: 'integer',
        unit: 'count',
        minimum: 1,
        defaultNote: 'all rows',
      },
      generate: { description: 'answer the prompts (greedy) and compare', type: 'boolean', default: true },
      match: {
        description: 'what `accuracy` means: the expected answer exactly, or contained in the answer',
        type: 'string',
        enum: ['contains', 'exact'],
        default: 'contains',
      },
      max_new_tokens: {
        description: 'longest answer',
        type: 'integer',
        unit: 'tokens',
        minimum: 1,
        default: 48,
      },
      samples: {
        description: 'answers kept for people to read',
        type: 'integer',
        unit: 'count',
        minimum: 0,
        default: 5,
      },
      batch: { description: 'rows at once', type: 'integer', unit: 'count', minimum: 1, default: 16 },
      ...seedOption,
    },
  },

  estimate: estimateEval,

  async run(context) {
    const policy = await context.policy();
    const rows = await readRows(context);
    const kind = rowKindOf(rows[0]!);
    const measured = await measures[kind](context, policy, rows);
    return { metrics: { rows: rows.length, ...measured } };
  },
};

const measures: {
  readonly [K in RowKind]: (context: StageContext, policy: Policy, rows: readonly Row[]) => Promise<Metrics>;
} = {
  text: measureText,
  completion: measureAnswers,
  preference: measurePreferences,
  prompt: async (context, policy, rows) => (await answer(context, policy, rows, false)).metrics,
};

async function readRows(context: StageContext): Promise<Row[]> {
  const limit = Number(context.job.options.limit ?? Number.POSITIVE_INFINITY);
  const rows: Row[] = [];
  for await (const row of context.rows('data', context.job.options.split as 'test')) {
    if (rows.length >= limit) break;
    rows.push(row);
  }
  if (rows.length === 0)
    throw new StageError('too-few-rows', `the ${context.job.options.split} split has no rows`, {
      option: 'data',
      help: ['give the data a larger share of held-out rows: `→ split(test=10%)`'],
    });
  return rows;
}

async function languageModelSums(
  context: StageContext,
  { family, config, weights }: Policy,
  batches: readonly Batch[],
): Promise<Metrics> {
  const sums = await runBatches(batches, (key) => {
    const [batch, length, rows] = sizesOf(key);
    const packed = !batches[0]!.feeds.has('rows');
    return context.load(
      languageModelProgram({ family, config, batch, length, ...(!packed && { rows }), headTrainable: false }),
      weights,
    );
  });
  const loss = sums.get('loss')!;
  return { loss, perplexity: Math.exp(loss), token_accuracy: sums.get('correct')! };
}

async function measureText(context: StageContext, policy: Policy, rows: readonly Row[]): Promise<Metrics> {
  const stream = new TokenStream();
  for (const row of rows) {
    stream.append(policy.tokenizer.encode(textOf(row)));
    stream.append(Int32Array.of(policy.tokenizer.eos));
  }
  const { context: length } = policy.family.shape(policy.config);
  return languageModelSums(
    context,
    policy,
    evaluationBatches(stream.tokens, length, Number(context.job.options.batch)),
  );
}

async function measureAnswers(context: StageContext, policy: Policy, rows: readonly Row[]): Promise<Metrics> {
  const { overlong, batch, generate } = context.job.options;
  const longest = policy.family.shape(policy.config).context;
  const account = emptyAccount();
  const examples = rows.flatMap(
    (row) => fit(encodeExample(row, policy), longest, overlong as Overlong, account) ?? [],
  );
  report(context, String(context.job.options.split), account);
  const losses = await languageModelSums(
    context,
    policy,
    new SupervisedBatches(examples, Number(batch), 1, 0, longest, 0).evaluation(),
  );
  if (generate === false) return losses;
  return { ...losses, ...(await answer(context, policy, rows, true)).metrics };
}

const fold = (text: string) => text.normalize('NFC').replace(/\s+/gu, ' ').trim();

/** Greedy answers, compared with what was expected, scored where a reward model exists. */
async function answer(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
  compare: boolean,
): Promise<{ metrics: Metrics }> {
  const { options } = context.job;
  const { family, config, tokenizer } = policy;
  const maxNewTokens = Number(options.max_new_tokens);
  const room = family.shape(config).context - maxNewTokens;
  const examples = rows.map((row) => promptCompletionOf(row));
  const prompts = examples.map((example) => encodeQuestion(example, policy));
  const tooLong = prompts.findIndex((p) => p.length > room);
  if (tooLong >= 0)
    throw new StageError(
      'overlong-row',
      `the prompt has ${prompts[tooLong]!.length} tokens; with ${maxNewTokens} new ones it does not fit the context`,
      {
        file: rows[tooLong]!.file,
        line: rows[tooLong]!.line,
        option: 'max_new_tokens',
        help: ['lower `max_new_tokens`'],
      },
    );
  const size = Number(options.batch);
  const sampler = await greedySampler({
    family,
    config,
    load: (p) => context.load(p),
    batch: size,
    maxPrompt: Math.max(...prompts.map((p) => p.length)),
    maxNewTokens,
    stop: policy.stop,
    pad: tokenizer.pad,
  });
  const kept: Sample[] = [];
  const answers: Int32Array[] = [];
  let exact = 0;
  let contains = 0;
  for (let first = 0; first < prompts.length; first += size) {
    context.checkStop();
    const part = prompts.slice(first, first + size);
    const responses = await sampler.sample(part, policy.weights);
    responses.forEach((response, i) => {
      answers.push(response);
      const text = tokenizer.decode(
        policy.stop.includes(response.at(-1)!) ? response.subarray(0, -1) : response,
      );
      const expected = compare ? answerOf(rows[first + i]!, examples[first + i]!) : undefined;
      const hit = expected !== undefined && fold(text).includes(fold(expected));
      if (expected !== undefined && fold(text) === fold(expected)) exact++;
      if (hit) contains++;
      if (kept.length < Number(options.samples))
        kept.push({
          prompt: tokenizer.decode(prompts[first + i]!),
          completion: text,
          ...(expected !== undefined && { expected, correct: hit }),
        });
    });
  }
  context.samples(0, kept);
  const share = (n: number) => n / prompts.length;
  const reward = await meanReward(context, prompts, answers);
  return {
    metrics: {
      ...(compare && {
        exact: share(exact),
        contains: share(contains),
        accuracy: share(options.match === 'exact' ? exact : contains),
      }),
      ...(reward !== undefined && { mean_reward: reward }),
    },
  };
}

async function meanReward(
  context: StageContext,
  prompts: readonly Int32Array[],
  answers: readonly Int32Array[],
): Promise<number | undefined> {
  const reward = await context.reward();
  if (!reward) return undefined;
  const { family, config } = reward;
  const size = Math.min(Number(context.job.options.batch), prompts.length);
  const length = Math.max(...prompts.map((p, i) => p.length + answers[i]!.length));
  const judge = await context.load(
    rewardProgram({ family, config, batch: size, length }),
    new Map([...reward.weights, [SCORE, reward.score]]),
  );
  let total = 0;
  for (let first = 0; first < prompts.length; first += size) {
    const ids = new Int32Array(size * length);
    const last = new Int32Array(size);
    const here = Math.min(size, prompts.length - first);
    for (let b = 0; b < here; b++) {
      const [prompt, response] = [prompts[first + b]!, answers[first + b]!];
      ids.set(prompt, b * length);
      ids.set(response, b * length + prompt.length);
      last[b] = b * length + prompt.length + response.length - 1;
    }
    const scored = await judge.run(
      new Map([
        ['ids', { dtype: 'i32', shape: [size, length], data: ids }],
        ['last', { dtype: 'i32', shape: [size], data: last }],
      ] as const),
    );
    for (let b = 0; b < here; b++) total += scored.get('rewards')!.data[b]!;
  }
  return total / prompts.length;
}

async function measurePreferences(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
): Promise<Metrics> {
  const reward = await context.reward();
  if (!reward)
    throw new StageError(
      'missing-slot',
      'preference rows are measured with a reward model, and none reaches this stage',
      {
        option: 'data',
        help: ['put the `eval` after an `rm` stage, or give it prompts with completions'],
      },
    );
  const { family, config } = reward;
  const { batch, overlong } = context.job.options;
  const longest = family.shape(config).context;
  const account = emptyAccount();
  const pairs = rows.flatMap(
    (row) => encodePair(row, preferenceOf(row), policy, longest, overlong as Overlong, account, false) ?? [],
  );
  report(context, String(context.job.options.split), account);
  const size = Number(batch);
  const weights = new Map([...reward.weights, [SCORE, reward.score]]);
  let right = 0;
  for (const { key, feeds } of new PairBatches(pairs, size, 1, longest, 0).evaluation()) {
    const [, length] = sizesOf(key);
    const judge = await context.load(rewardProgram({ family, config, batch: 2 * size, length }), weights);
    const { data } = (
      await judge.run(new Map([...feeds].filter(([name]) => name === 'ids' || name === 'last')))
    ).get('rewards')!;
    feeds.get('weights')!.data.forEach((w, i) => {
      if (w > 0 && data[i]! > data[size + i]!) right++;
    });
  }
  return { reward_accuracy: right / pairs.length };
}
